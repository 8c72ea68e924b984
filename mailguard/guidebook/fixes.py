"""A fix as blocks: the records before and after, how ready they are, where to enter them, what they would have done."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from mailguard.guidebook.blocks import Block, Bullets, Callout, Labelled, Paragraph, Record, Table, Tone
from mailguard.guidebook.case import Case
from mailguard.guidebook.preview import Preview, previews
from mailguard.guidebook.telling import Document, name_of
from mailguard.guidebook.texts import Texts
from mailguard.providers import Layer, Panel, Provider
from mailguard.render.safe import visible

MAX_QR: Final = 1000
"""Characters in a QR code; a longer text makes one that no telephone reads from paper."""


def fix_blocks(fix: Document, case: Case, texts: Texts) -> Iterator[Block]:
    """Everything that is to be said about one fix, except what it is for."""
    yield Callout(texts("findings.readiness"), tuple(_readiness(fix, texts)), _TONES[fix["readiness"]])
    yield from (record_block(record, texts) for record in fix["records"])
    yield from panel_blocks(fix, case, texts)
    yield from preview_blocks(fix, case, texts)


_TONES: Final = {"paste-as-is": Tone.GOOD, "needs-your-decision": Tone.CARE}


def _readiness(fix: Document, texts: Texts) -> Iterator[Block]:
    yield Paragraph(texts(f"findings.readiness.{fix['readiness']}"))
    if fix["reasons"]:
        reasons = (Paragraph(texts(f"findings.reason.{reason}")) for reason in fix["reasons"])
        yield Bullets(tuple((reason,) for reason in reasons))


def record_block(record: Document, texts: Texts) -> Record:
    """One record before and after. Long texts are shown cut too, and short ones as a QR code."""
    before, after = tuple(record["before"]), tuple(record["after"])
    is_cut = any(len(strings) > 1 for strings in record["split"])
    qr = after[0] if len(after) == 1 and len(after[0]) <= MAX_QR and visible(after[0]) == after[0] else ""
    return Record(
        name=record["name"],
        rrtype=record["type"],
        place=texts("findings.record.place"),
        before=Labelled(texts("findings.record.before"), before) if before else None,
        after=Labelled(texts(f"findings.record.{_what(before, after)}"), after),
        split=Labelled(texts("findings.record.split"), _strings(record)) if is_cut else None,
        qr=qr,
        qr_label=texts("findings.record.qr") if qr else (),
    )


def _what(before: tuple[str, ...], after: tuple[str, ...]) -> str:
    if not after:
        return "remove"
    return "replace" if before else "add"


def _strings(record: Document) -> tuple[str, ...]:
    return tuple(f'"{string}"' for strings in record["split"] for string in strings)


def panel_blocks(fix: Document, case: Case, texts: Texts) -> Iterator[Block]:
    """Where the fix is entered, at the companies whose name servers answer and of whose screens something is known."""
    is_dmarc = any(str(record["name"]).startswith("_dmarc.") for record in fix["records"])
    for provider in case.providers(Layer.DNS):
        if provider.panel is not None:
            path = (provider.panel.dmarc if is_dmarc else "") or provider.panel.dns
            yield from _screen(provider, provider.panel, path, texts)


def key_panel_blocks(case: Case, texts: Texts) -> Iterator[Block]:
    """Where DKIM is switched on, at the companies that run the mailboxes."""
    for provider in case.providers(Layer.MAILBOX):
        if provider.panel is not None:
            yield from _screen(provider, provider.panel, provider.panel.dkim, texts)


def _screen(provider: Provider, panel: Panel, path: str, texts: Texts) -> Iterator[Block]:
    """The path where the company's own page was read, else whom to ask; nothing where no path is known."""
    if not path:
        return
    company = name_of(provider, texts)
    checked = date.fromisoformat(provider.last_checked)
    told = (
        texts("findings.panel.verified", provider=company, path=path, checked=checked)
        if panel.is_verified
        else texts("findings.panel.ask", provider=company)
    )
    yield Callout(texts("findings.panel"), (Paragraph(told),))


def preview_blocks(fix: Document, case: Case, texts: Texts) -> Iterator[Block]:
    """What the records would have done to reported mail, for fixes that ask somebody to be stricter."""
    seen = previews(fix, case.traffic, case.evidence)
    if seen:
        told = tuple(block for preview in seen for block in _preview(preview, case, texts))
        yield Callout(texts("findings.preview"), told, Tone.UNKNOWN if seen[0].messages is None else Tone.CARE)


def _preview(preview: Preview, case: Case, texts: Texts) -> Iterator[Block]:
    traffic = case.traffic
    if preview.messages is None or traffic is None:
        yield Paragraph(texts("findings.preview.no-reports"))
        return
    yield Paragraph(
        texts(
            f"findings.preview.{preview.effect}" if preview.total else "findings.preview.nobody",
            since=traffic.since,
            until=traffic.until,
            messages=preview.messages,
            affected=preview.total,
        )
    )
    if preview.affected:
        rows = tuple(
            (texts(f"monitoring.class.{kind}"), texts("findings.count", count=n), texts(f"monitoring.meaning.{kind}"))
            for kind, n in preview.affected
        )
        head = (texts("findings.preview.class"), texts("findings.preview.messages"), texts("monitoring.meaning"))
        yield Table(head, rows, numeric=frozenset({1}), widths=(24, 14, 62))
    if preview.unknown:
        yield Paragraph(texts("findings.preview.unknown", messages=preview.unknown))
    if preview.at_most:
        yield Paragraph(texts("findings.preview.at-most"))
    yield Paragraph(texts("findings.preview.limits"), tone=Tone.QUIET)
