"""A book as Markdown (CommonMark, tables as GitHub has them). Whatever could be markup is escaped, ours too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count

from mailguard.guidebook.blocks import (
    Block,
    Book,
    Bullets,
    Callout,
    Card,
    Chart,
    Form,
    Heading,
    Kind,
    Labelled,
    PageBreak,
    Paragraph,
    Record,
    Rich,
    Signals,
    Span,
    Table,
    Verbatim,
)
from mailguard.guidebook.texts import Texts
from mailguard.render.book.bare import symbol
from mailguard.render.book.head import facts_of
from mailguard.render.book.spans import is_source
from mailguard.render.safe import markdown, markdown_code, visible

_DEEPEST = 6
_BLANK = r"\_" * 20


def render_markdown(book: Book) -> str:
    """The whole book as one document that ends with a newline."""
    texts = Texts(book.language)
    lines = [f"# {_line(book.title)}", "", f"`{markdown_code(book.domain)}`", ""]
    lines += [f"- {markdown(name)}: {markdown(value)}" for name, value in facts_of(book, texts)]
    if book.notice:
        lines += ["", _line(book.notice)]
    for part in book.parts:
        lines += ["", f"## {_line(part.title)}", *_spaced(part.blocks, 2)]
    imprint = book.imprint
    closing = [*imprint.closing, *([imprint.name] if imprint.name else []), *imprint.lines]
    for line in closing:
        lines += ["", markdown(line)]
    return "\n".join(lines) + "\n"


def _spaced(blocks: Iterable[Block], depth: int) -> Iterator[str]:
    """Each block with an empty line before it."""
    for block in blocks:
        lines = list(_block(block, depth))
        if lines:
            yield from ("", *lines)


def _block(block: Block, depth: int) -> Iterator[str]:
    match block:
        case Heading():
            yield f"{'#' * min(depth + block.level, _DEEPEST)} {_line(block.text)}"
        case Paragraph():
            yield f"{symbol(block.tone)}{_line(block.text)}"
        case Bullets():
            yield from _bullets(block, depth)
        case Table():
            yield from _table(block)
        case Record():
            yield from _record(block)
        case Signals():
            for signal in block.signals:
                yield f"- {symbol(signal.tone)}{_strong(signal.title)} {_line(signal.word)}  "
                yield f"  {_line(signal.text)}"
        case Chart():
            yield from (_strong(block.title), "", _line(block.alternative), "", *_table(block.numbers))
        case Form():
            yield from _form(block)
        case Callout():
            yield f"> {symbol(block.tone)}{_strong(block.title)}"
            yield from (f"> {line}".rstrip() for line in _spaced(block.blocks, depth))
        case Card():
            yield f"{'#' * min(depth + 1, _DEEPEST)} {symbol(block.tone)}{_line(block.title)}"
            yield from _spaced(block.blocks, depth + 1)
        case Verbatim():
            yield from _copied(block.text.split("\n"))
        case PageBreak():
            return


def _bullets(block: Bullets, depth: int) -> Iterator[str]:
    numbers = count(1)
    for item in block.items:
        mark = f"{next(numbers)}. " if block.ordered else "- "
        lines = list(_spaced(item, depth))[1:]
        for number, line in enumerate(lines or [""]):
            yield f"{mark if number == 0 else ' ' * len(mark)}{line}".rstrip()


def _table(table: Table) -> Iterator[str]:
    if table.caption:
        yield from (_strong(table.caption), "")
    columns = max([len(table.head), *map(len, table.rows)], default=0)
    yield _row(table.head, columns)
    yield "|" + "|".join(" ---: " if column in table.numeric else " --- " for column in range(columns)) + "|"
    for row in table.rows:
        yield _row(row, columns)


def _row(cells: tuple[Rich, ...], columns: int) -> str:
    filled = [*map(_line, cells), *[""] * (columns - len(cells))]
    return "| " + " | ".join(filled) + " |"


def _record(record: Record) -> Iterator[str]:
    yield f"{_line(record.place)} `{markdown_code(record.name)}` `{markdown_code(record.rrtype)}`"
    for labelled in (record.before, record.after, record.split):
        if labelled:
            yield from ("", *_labelled(labelled))


def _labelled(labelled: Labelled) -> Iterator[str]:
    yield _line(labelled.label)
    for line in labelled.lines:
        yield from ("", *_copied([line]))


def _copied(lines: Iterable[str]) -> Iterator[str]:
    """A block of code, indented: unlike a fence, nothing inside can end it."""
    yield from (f"    {visible(line)}" for line in lines)


def _form(form: Form) -> Iterator[str]:
    for blank in form.blanks:
        hint = f" ({_line(blank.hint)})" if blank.hint else ""
        yield f"- {_line(blank.label)}{hint}: {_line(blank.value) or _BLANK}"


def _line(rich: Rich) -> str:
    """Rich text on one line."""
    return "".join(map(_span, rich))


def _strong(rich: Rich) -> str:
    return _bold(_line(rich))


def _bold(text: str) -> str:
    return f"**{text}**" if text.strip() else ""  # stars with nothing between them are a line across the page


def _span(span: Span) -> str:
    match span.kind:
        case Kind.CODE:
            return f"`{markdown_code(span.text)}`"
        case Kind.STRONG:
            return _bold(markdown(span.text))
        case Kind.RUBY:
            return f"{markdown(span.text)}（{markdown(span.target)}）"
        case Kind.LINK if is_source(span.target):
            return f"[{markdown(span.text)}](<{span.target}>)"
        case _:
            return markdown(span.text)
