"""What is otherwise than in the report before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from mailguard.guidebook.blocks import (
    Block,
    Bullets,
    Callout,
    Heading,
    Labelled,
    Paragraph,
    Part,
    Reader,
    Record,
    Rich,
    Span,
    Table,
    Tone,
)
from mailguard.guidebook.case import Case
from mailguard.guidebook.difference import Difference, Pair, RecordChange, VerdictChange, compare
from mailguard.guidebook.telling import Document, guide_of, link_to
from mailguard.guidebook.texts import Texts
from mailguard.render.safe import clip


def make(case: Case, texts: Texts) -> Part | None:
    """The difference to the audit before; None where there is none, or it was of another domain."""
    previous = case.previous
    if previous is None or previous["domain"] != case.document["domain"]:
        return None
    seen = compare(previous, case.document, case.evidence)
    return Part(
        id="difference",
        title=texts("difference.title"),
        blocks=tuple(_blocks(seen, previous, case, texts)),
        readers=frozenset((Reader.DIRECTOR, Reader.IT)),
    )


def _blocks(seen: Difference, previous: Document, case: Case, texts: Texts) -> Iterator[Block]:
    before = datetime.fromisoformat(previous["as_of"])
    yield Paragraph(texts("difference.lead", before=before, now=case.as_of), lead=True)
    if seen.is_nothing:
        yield Paragraph(texts("difference.nothing", count=len(seen.unchanged)))
        return
    yield _counts(seen, texts)
    yield from _verdicts(seen.verdicts, texts)
    yield from _gone("solved", seen.solved, texts, Tone.GOOD)
    yield from _there("new", seen.new, texts)
    yield from _there("worse", (pair.now for pair in seen.worse), texts)
    yield from _there("better", (pair.now for pair in seen.better), texts)
    yield from _gone("unseen", seen.unseen, texts, Tone.UNKNOWN)
    yield from _there("unchanged", (pair.now for pair in seen.unchanged), texts)
    yield from _records(seen.records, texts)
    if previous["policy"] != case.document["policy"] or previous["mailguard"] != case.document["mailguard"]:
        yield Paragraph(texts("difference.other-measure"), tone=Tone.QUIET)


def _counts(seen: Difference, texts: Texts) -> Table:
    kinds: tuple[tuple[str, tuple[Document, ...] | tuple[Pair, ...]], ...] = (
        ("solved", seen.solved),
        ("better", seen.better),
        ("new", seen.new),
        ("worse", seen.worse),
        ("unchanged", seen.unchanged),
        ("unseen", seen.unseen),
    )
    rows = tuple((texts(f"difference.{kind}"), texts("difference.count", count=len(those))) for kind, those in kinds)
    head = (texts("difference.kind"), texts("difference.number"))
    return Table(head, rows, numeric=frozenset({1}), widths=(75, 25))


def _gone(kind: str, findings: tuple[Document, ...], texts: Texts, tone: Tone) -> Iterator[Block]:
    """Findings that have no page in this guide."""
    if findings:
        items = tuple((Paragraph(_titled(finding, texts)),) for finding in findings)
        told = Paragraph(texts(f"difference.{kind}.text"))
        yield Callout(texts(f"difference.{kind}"), (told, Bullets(items)), tone)


def _titled(finding: Document, texts: Texts) -> Rich:
    return texts("difference.finding", title=(Span(guide_of(finding, texts).title),), at=finding["at"])


def _there(kind: str, findings: Iterable[Document], texts: Texts) -> Iterator[Block]:
    """Findings that have a page."""
    items = tuple(
        (Paragraph(texts("difference.finding", title=link_to(finding, texts), at=finding["at"])),)
        for finding in findings
    )
    if items:
        yield Heading(texts(f"difference.{kind}"))
        yield Bullets(items)


def _verdicts(changes: tuple[VerdictChange, ...], texts: Texts) -> Iterator[Block]:
    if not changes:
        return
    yield Heading(texts("difference.verdicts"))
    rows = tuple(
        (
            texts(f"difference.scope.{change.scope}"),
            texts(f"difference.verdict.{change.before}"),
            texts(f"difference.verdict.{change.now}"),
        )
        for change in changes
    )
    yield Table((texts("difference.scope"), texts("difference.before"), texts("difference.now")), rows)


def _records(changes: tuple[RecordChange, ...], texts: Texts) -> Iterator[Block]:
    if changes:
        yield Heading(texts("difference.records"))
        yield Paragraph(texts("difference.records.text"))
    for change in changes:
        yield Record(
            name=change.name,
            rrtype="TXT",
            place=texts("difference.record"),
            before=_labelled("difference.before", change.before, change.status_before, texts),
            after=_labelled("difference.now", change.now, change.status_now, texts),
        )


def _labelled(label: str, text: str | None, status: str, texts: Texts) -> Labelled:
    if text is None:
        return Labelled(texts(f"{label}-{'none' if status == 'none' else 'unclear'}"), ())
    return Labelled(texts(label), (clip(text),))
