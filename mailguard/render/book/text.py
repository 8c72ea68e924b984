"""A book as plain text, for the text part of a mail and for terminals: no markup, nothing to obey."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from unicodedata import east_asian_width

from mailguard.guidebook.blocks import (
    Block,
    Book,
    Bullets,
    Callout,
    Card,
    Chart,
    Form,
    Heading,
    Labelled,
    PageBreak,
    Paragraph,
    Record,
    Rich,
    Signals,
    Table,
    Verbatim,
)
from mailguard.guidebook.texts import Texts
from mailguard.render.book.bare import span_text, symbol
from mailguard.render.book.head import facts_of
from mailguard.render.safe import visible

_WIDE = 60
_BLANK = "_" * 8


def render_text(book: Book) -> str:
    """The whole book. Lines are as long as their sentences: a mail program wraps them as its reader wants."""
    texts = Texts(book.language)
    lines = [_line(book.title), visible(book.domain), ""]
    lines += [f"{name}: {value}" for name, value in facts_of(book, texts)]
    if book.notice:
        lines += ["", _line(book.notice)]
    for part in book.parts:
        title = _line(part.title)
        lines += ["", "", title, "=" * _width(title), *_spaced(part.blocks)]
    imprint = book.imprint
    if imprint != type(imprint)():
        lines += ["", "", *map(visible, imprint.closing), "-- ", visible(imprint.name), *map(visible, imprint.lines)]
    return "\n".join(lines) + "\n"


def blocks_text(blocks: Iterable[Block]) -> str:
    """Blocks alone, as they stand in the text of a book."""
    return "\n".join(_spaced(blocks)).lstrip("\n") + "\n"


def _spaced(blocks: Iterable[Block]) -> Iterator[str]:
    for block in blocks:
        lines = list(_block(block))
        if lines:
            yield from ("", *lines)


def _block(block: Block) -> Iterator[str]:
    match block:
        case Heading():
            yield f"[{_line(block.text)}]"
        case Paragraph():
            yield f"{symbol(block.tone)}{_line(block.text)}"
        case Bullets():
            yield from _bullets(block)
        case Table():
            yield from _table(block)
        case Record():
            yield from _record(block)
        case Signals():
            for signal in block.signals:
                yield f"{symbol(signal.tone)}{_line(signal.title)}: {_line(signal.word)}"
                yield f"   {_line(signal.text)}"
        case Chart():
            yield from (_line(block.title), _line(block.alternative), *_table(block.numbers))
        case Form():
            yield from (f"{_line(blank.label)}: {_line(blank.value) or _BLANK}" for blank in block.blanks)
        case Callout():
            yield f"{symbol(block.tone)}{_line(block.title)}"
            yield from (f"  {line}".rstrip() for line in _spaced(block.blocks))
        case Card():
            title = f"{symbol(block.tone)}{_line(block.title)}"
            yield from (title, "-" * _width(title), *_spaced(block.blocks))
        case Verbatim():
            yield from (f"    {visible(line)}" for line in block.text.split("\n"))
        case PageBreak():
            return


def _bullets(block: Bullets) -> Iterator[str]:
    for number, item in enumerate(block.items, 1):
        mark = f"{number}. " if block.ordered else "- "
        lines = [line for part in item for line in _block(part)]
        for place, line in enumerate(lines or [""]):
            yield f"{mark if place == 0 else ' ' * len(mark)}{line}"


def _table(table: Table) -> Iterator[str]:
    """Row by row, each cell under the name of its column: columns do not survive proportional letters."""
    if table.caption:
        yield _line(table.caption)
    heads = [_line(cell) for cell in table.head]
    for row in table.rows:
        yield "- " + " / ".join(_cells(row, heads, table.row_heads))


def _cells(row: tuple[Rich, ...], heads: Sequence[str], row_heads: bool) -> Iterator[str]:
    for place, cell in enumerate(row):
        named = place < len(heads) and heads[place] and not (place == 0 and row_heads)
        yield f"{heads[place]}: {_line(cell) or _BLANK}" if named else _line(cell) or _BLANK


def _record(record: Record) -> Iterator[str]:
    yield f"{_line(record.place)} {visible(record.name)} {visible(record.rrtype)}"
    for labelled in (record.before, record.after, record.split):
        if labelled:
            yield from _labelled(labelled)


def _labelled(labelled: Labelled) -> Iterator[str]:
    yield f"{_line(labelled.label)}:"
    yield from (f"    {visible(line)}" for line in labelled.lines)


def _line(rich: Rich) -> str:
    return "".join(map(span_text, rich))


def _width(text: str) -> int:
    return min(sum(2 if east_asian_width(char) in "FW" else 1 for char in text), _WIDE)
