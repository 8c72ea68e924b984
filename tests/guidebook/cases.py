"""Cases to make parts of, and parts as plain lines to read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from typing import Any

from mailguard.guidebook.blocks import (
    SYMBOLS,
    Block,
    Bullets,
    Callout,
    Card,
    Form,
    Heading,
    Labelled,
    PageBreak,
    Paragraph,
    Part,
    Record,
    Rich,
    Signals,
    Span,
    Table,
    Verbatim,
    plain,
)
from mailguard.guidebook.case import Case
from mailguard.policy.shelf import load_providers
from mailguard.render.document import Document
from mailguard.traffic import Source, SourceClass, Traffic

MADE_AT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def case_of(document: Document, **more: Any) -> Case:
    """A case of a document, made on a fixed day."""
    return Case(document=document, made_at=MADE_AT, knowledge=load_providers(), **more)


def traffic(*sources: Source) -> Traffic:
    """What reports of thirty days say."""
    return Traffic(date(2026, 10, 23), date(2026, 11, 21), sources, (), ())


def source(ip: str, messages: int, passed: int, kind: SourceClass, *, spf: int = 0, dkim: int = 0) -> Source:
    """A sending address."""
    return Source(ip, messages, passed, dkim, spf, 0, 1, kind)


def lines(part: Part) -> list[str]:
    """A part as lines, without layout."""
    return [f"# {plain(part.title)}", *_lines(part.blocks)]


def blocks_in(blocks: Iterable[Block]) -> Iterator[Block]:
    """Every block, those inside others too."""
    for block in blocks:
        yield block
        if isinstance(block, Card | Callout):
            yield from blocks_in(block.blocks)
        elif isinstance(block, Bullets):
            for item in block.items:
                yield from blocks_in(item)


def spans_in(blocks: Iterable[Block]) -> Iterator[Span]:
    """Every span of every block."""
    for block in blocks_in(blocks):
        for rich in _riches(block):
            yield from rich


def _riches(block: Block) -> Iterator[Rich]:
    match block:
        case Heading(text=text) | Paragraph(text=text):
            yield text
        case Card(title=title) | Callout(title=title):
            yield title
        case Table(head=head, rows=rows):
            yield from head
            for row in rows:
                yield from row
        case Signals(signals=signals):
            for signal in signals:
                yield from (signal.word, signal.title, signal.text)
        case Record(place=place, after=after):
            yield from (place, after.label)
        case Form(blanks=blanks):
            for blank in blanks:
                yield from (blank.label, blank.value, blank.hint)


def _lines(blocks: Iterable[Block]) -> Iterator[str]:
    for block in blocks:
        yield from _told(block)


def _told(block: Block) -> Iterator[str]:
    match block:
        case Heading(text=text, level=level):
            yield from ("", f"{'#' * (level + 1)} {plain(text)}")
        case Paragraph(text=text):
            yield plain(text)
        case Bullets(items=items):
            for item in items:
                inside = list(_lines(item))
                yield f"- {inside[0]}"
                yield from (f"  {line}" for line in inside[1:])
        case Table(head=head, rows=rows):
            yield " | ".join(map(plain, head))
            yield from (" | ".join(map(plain, row)) for row in rows)
        case Signals(signals=signals):
            for one in signals:
                yield f"{SYMBOLS[one.tone]} {plain(one.title)}: {plain(one.word)}: {plain(one.text)}"
        case Card(title=title, tone=tone, blocks=inside) | Callout(title=title, tone=tone, blocks=inside):
            yield from ("", f"[{SYMBOLS[tone]} {plain(title)}]", *_lines(inside))
        case Record():
            yield f"{plain(block.place)} {block.name} {block.rrtype}"
            for labelled in (block.before, block.after, block.split):
                yield from _labelled(labelled)
        case Form(blanks=blanks):
            for blank in blanks:
                hint = f" ({plain(blank.hint)})" if blank.hint else ""
                yield f"{plain(blank.label)}{hint}: {plain(blank.value) or '_' * 8}"
        case Verbatim(text=text):
            yield from (f"    {line}" for line in text.splitlines())
        case PageBreak():
            yield "-- new page --"
        case _:
            yield repr(block)


def _labelled(labelled: Labelled | None) -> Iterator[str]:
    if labelled is not None:
        yield f"{plain(labelled.label)}:"
        yield from (f"    {line}" for line in labelled.lines)
