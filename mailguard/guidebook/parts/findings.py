"""A page for each thing that was found: what it is, who does what, the record before and after, and what it would do.

Findings of one rule share a page: what is to be done is the same, and every place is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from mailguard.guidebook.actors import Actor
from mailguard.guidebook.blocks import (
    Block,
    Bullets,
    Callout,
    Card,
    Heading,
    Paragraph,
    Part,
    Reader,
    Rich,
    Span,
    Table,
    Tone,
    code,
    fact,
)
from mailguard.guidebook.case import Case
from mailguard.guidebook.fixes import fix_blocks, key_panel_blocks
from mailguard.guidebook.pages import page_blocks, page_inline
from mailguard.guidebook.tasks import Plan, Task, Work
from mailguard.guidebook.telling import (
    TONES,
    Document,
    anchor_of,
    facts_of,
    guide_of,
    link_to,
    listed,
    plan_of,
    task_link,
    unique,
)
from mailguard.guidebook.texts import Texts
from mailguard.guidebook.unused import is_without_mail
from mailguard.guidebook.works import FOR_SILENT
from mailguard.render.phrases import Phrases
from mailguard.render.reading import is_waived

_WHO_DOES_WHAT: Final = 2
"""The section of a rule's page behind which the records stand."""


def make(case: Case, texts: Texts) -> Part:
    """One card for each rule, and how the domain stands against what receivers of mail ask for."""
    plan = plan_of(case)
    groups = grouped(case.document)
    return Part(
        id="findings",
        title=texts("findings.title"),
        blocks=(
            *_head(case, groups, plan, texts),
            *_programmes(case, texts),
            *(_card(group, case, plan, texts) for group in groups),
        ),
        readers=frozenset((Reader.IT, Reader.VENDOR)),
    )


def grouped(document: Document) -> tuple[tuple[int, ...], ...]:
    """Places in the document's list of findings, those of one rule together, in the document's order."""
    groups: dict[str, list[int]] = {}
    for index, finding in enumerate(document["findings"]):
        groups.setdefault(finding["rule"], []).append(index)
    return tuple(map(tuple, groups.values()))


def _head(case: Case, groups: Sequence[Sequence[int]], plan: Plan, texts: Texts) -> Iterator[Block]:
    if not groups:
        # No more than was answered.
        if network := Phrases(texts.language).network(case.document):
            yield Paragraph((Span(network),), lead=True)
            return
        yield Paragraph(texts("findings.none-answered" if case.document["unanswered"] else "findings.none"), lead=True)
        return
    yield Paragraph(texts("findings.lead"), lead=True)
    columns = ("rule", "weight", "what", "task")
    rows = tuple(_row(group, case, plan, texts) for group in groups)
    yield Table(
        tuple(texts(f"findings.column.{column}") for column in columns), rows, row_heads=False, widths=(14, 12, 46, 28)
    )
    yield Paragraph(texts("findings.weights"), tone=Tone.QUIET)


def _row(group: Sequence[int], case: Case, plan: Plan, texts: Texts) -> tuple[Rich, ...]:
    finding = case.document["findings"][group[0]]
    weight = "findings.waived" if is_waived(finding) else f"findings.weight.{finding['severity']}"
    return (code(finding["rule"]),), texts(weight), link_to(finding, texts), task_link(plan.task_of(group[0]), texts)


def _card(group: Sequence[int], case: Case, plan: Plan, texts: Texts) -> Card:
    findings = [case.document["findings"][index] for index in group]
    first, task = findings[0], plan.task_of(group[0])
    return Card(
        title=(Span(guide_of(first, texts).title),),
        blocks=(*_state(first, texts), *_seen(findings, case, texts), *_page(first, case, task, texts)),
        tone=Tone.QUIET if is_waived(first) else TONES[first["severity"]],
        anchor=anchor_of(first["rule"]),
        page=True,
    )


def _state(finding: Document, texts: Texts) -> Iterator[Block]:
    """Weight, certainty, source; and whether somebody decided to live with it."""
    state = texts(
        "findings.state" if finding["cites"] else "findings.state-bare",
        rule=finding["rule"],
        weight=texts(f"findings.weight.{finding['severity']}"),
        confidence=texts(f"findings.confidence.{finding['confidence']}"),
        cites=listed(finding["cites"], texts),
    )
    yield Paragraph(state, tone=Tone.QUIET)
    waived = finding["waived"]
    if waived is not None:
        until = date.fromisoformat(waived["until"])
        ending = "expired" if waived["expired"] else "until"
        told = Paragraph(texts(f"findings.waived.{ending}", until=until, reason=waived["reason"]))
        yield Callout(texts("findings.waived"), (told,), Tone.QUIET)


def _seen(findings: Sequence[Document], case: Case, texts: Texts) -> Iterator[Block]:
    """The summary; of several places each with its own."""
    told = [page_inline(guide_of(one, texts).summary, facts_of(one, case), texts.language) for one in findings]
    if len(told) == 1:
        yield Paragraph(told[0], lead=True)
        return
    yield Paragraph(texts("findings.places", count=len(told)), lead=True)
    yield Bullets(tuple((Paragraph(summary),) for summary in told))


def _page(finding: Document, case: Case, task: Task, texts: Texts) -> Iterator[Block]:
    """The rule's page with what stands in no rule's page: this domain's records, screens and reports."""
    if _is_for_senders(finding, task, case):
        yield from _page_for_silent(finding, case, task, texts)
        return
    facts = facts_of(finding, case)
    for place, (heading, body) in enumerate(guide_of(finding, texts).sections):
        yield Heading((Span(heading),), level=2)
        yield from page_blocks(body, facts, texts.language)
        if place == _WHO_DOES_WHAT:
            yield from _who(finding, case, task, texts)


def _is_for_senders(finding: Document, task: Task, case: Case) -> bool:
    """Whether the rule's page advises what is right for a domain that sends, and this one sends nothing."""
    family = finding["rule"].rstrip("0123456789")
    usual = family in ("SPF", "DMARC") and finding["rule"] not in FOR_SILENT
    return usual and task.work is Work.PUBLISH_PARKED and is_without_mail(case.document)


def _page_for_silent(finding: Document, case: Case, task: Task, texts: Texts) -> Iterator[Block]:
    """What was found and why it matters, as on the rule's page; what to do is the same for all such findings."""
    facts, sections = facts_of(finding, case), guide_of(finding, texts).sections
    for heading, body in sections[:_WHO_DOES_WHAT]:
        yield Heading((Span(heading),), level=2)
        yield from page_blocks(body, facts, texts.language)
    for place, words in _SILENT.items():
        yield Heading((Span(sections[place][0]),), level=2)
        yield Paragraph(texts(f"findings.silent.{words}"))
        if place == _WHO_DOES_WHAT:
            yield from _who(finding, case, task, texts)


_SILENT: Final = {_WHO_DOES_WHAT: "who", 4: "check", 5: "back"}
"""Sections of every rule's page, by their places, and the words for a domain that sends nothing."""


def _who(finding: Document, case: Case, task: Task, texts: Texts) -> Iterator[Block]:
    yield Paragraph(texts("findings.task", task=task_link(task, texts), due=task.due))
    yield from _what_to_enter(finding, case, task, texts)


def _what_to_enter(finding: Document, case: Case, task: Task, texts: Texts) -> Iterator[Block]:
    if finding["fix"] is None:
        if task.actor is not Actor.HOSPITAL:  # who looks or asks has nothing to enter
            yield Paragraph(texts("findings.no-record"), tone=Tone.QUIET)
        if task.work is Work.MAKE_KEY:
            yield from key_panel_blocks(case, texts)
        return
    yield from fix_blocks(finding["fix"], case, texts)
    rivals = [one for one in _rivals(finding, case.document) if not is_waived(one)]
    if rivals:
        links = Bullets(tuple((Paragraph(link_to(one, texts)),) for one in rivals))
        yield Callout(
            texts("findings.alternatives"), (Paragraph(texts("findings.alternatives.text")), links), Tone.CARE
        )


def _rivals(finding: Document, document: Document) -> list[Document]:
    """Findings whose own fix would write one of the same records anew: only one of them can be taken."""
    places = _places(finding["fix"])
    others = (one for one in document["findings"] if one["fix"] is not None and one["fix"] != finding["fix"])
    return unique(one for one in others if places & _places(one["fix"]) and one["rule"] != finding["rule"])


def _places(fix: Document) -> set[tuple[str, str]]:
    return {(record["name"], record["type"]) for record in fix["records"]}


def _programmes(case: Case, texts: Texts) -> Iterator[Block]:
    """What receivers of mail ask of senders. What could not be verified is not told as theirs, only counted."""
    rows = [row for row in case.document["programmes"] if row["evidence"] in _TELLABLE]
    untold = len(case.document["programmes"]) - len(rows)
    if rows:
        columns = ("programme", "requirement", "status", "source")
        head = tuple(texts(f"findings.programmes.{column}") for column in columns)
        table = Table(head, tuple(_requirement(row, texts) for row in rows), widths=(18, 42, 16, 24))
        blocks: list[Block] = [Paragraph(texts("findings.programmes.text")), table]
        if untold:
            blocks.append(Paragraph(texts("findings.programmes.untold", count=untold), tone=Tone.QUIET))
        yield Card(texts("findings.programmes"), tuple(blocks), anchor="programmes")


_TELLABLE: Final = ("T", "V", "S")


def _requirement(row: Document, texts: Texts) -> tuple[Rich, ...]:
    is_reported = row["evidence"] == "S"
    strength = f"{row['strength']}-reported" if is_reported else row["strength"]
    standing = "second-hand" if is_reported else "read"
    read_on = date.fromisoformat(row["read_on"])
    return (
        (fact(row["programme"]),),
        texts(f"findings.programmes.{strength}", title=row["title"][texts.language]),
        texts(f"findings.programmes.status.{row['status']}"),
        texts(f"findings.programmes.{standing}", source=row["source"], clause=row["clause"], read_on=read_on),
    )
