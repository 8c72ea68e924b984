"""The check sheet as a spreadsheet, to be filled in and kept: one row for each item, and a sheet that explains.

What strangers wrote is text and stays text: nothing is stored as a formula or a link, and what would become one when
somebody edits the cell is marked as text (``quotePrefix``). The same book gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from mailguard.errors import UsageError
from mailguard.guidebook.blocks import (
    Block,
    Book,
    Bullets,
    Callout,
    Form,
    Heading,
    Paragraph,
    Part,
    Rich,
    Table,
    plain,
)
from mailguard.guidebook.brand import PLAIN, Brand
from mailguard.guidebook.parts.checksheet import COLUMNS, DAY
from mailguard.guidebook.texts import Texts
from mailguard.render.book.bare import span_text
from mailguard.render.safe import cell, clip, visible

if TYPE_CHECKING:
    from xlsxwriter.format import Format  # type: ignore[import-untyped]
    from xlsxwriter.workbook import Workbook  # type: ignore[import-untyped]
    from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped]

_PART: Final = "checksheet"
_FONT: Final = "BIZ UDPGothic"  # a spreadsheet without it takes one of its own
_WIDTHS: Final = {"number": 8, "item": 62, "answer": 10, "checked": 14, "target": 14, "person": 16}
_DAYS: Final = frozenset({"checked", "target"})
_FIRST_DAY: Final = date(2020, 1, 1)  # no check was made before
_MOST: Final = 32_000
"""Characters of a cell; the format holds 32,767."""

_A4: Final = 9
_HEAD: Final = 1  # the row of the columns' names; above it the title


def render_checksheet(book: Book, brand: Brand = PLAIN) -> bytes:
    """The check sheet of a book as an Excel workbook.

    Raises UsageError where the book is for readers who have no check sheet.
    """
    part = next((one for one in book.parts if one.id == _PART), None)
    if part is None:
        raise UsageError("The check sheet is for IT; take it with --for it or --part checksheet, or leave --for out.")
    return _Sheet(book, part, brand).content()


class _Sheet:
    """One workbook while it is being written."""

    def __init__(self, book: Book, part: Part, brand: Brand) -> None:
        self._book = book
        self._part = part
        self._texts = Texts(book.language)
        self._accent = brand.accent
        self._made: dict[tuple[tuple[str, Any], ...], Format] = {}

    def content(self) -> bytes:
        """The workbook's bytes."""
        buffer = BytesIO()
        workbook = _workbook(buffer)
        self._workbook = workbook
        workbook.set_properties(self._properties())
        self._check(workbook.add_worksheet(self._texts.plain("checksheet.sheet")))
        self._explain(workbook.add_worksheet(self._texts.plain("checksheet.sheet.about")))
        workbook.close()
        return buffer.getvalue()

    def _properties(self) -> dict[str, Any]:
        made = self._book.made_at.astimezone(UTC).replace(tzinfo=None)
        title = clip(f"{plain(self._part.title)} {visible(self._book.domain)}", 255)
        return {"title": title, "author": visible(self._book.imprint.name), "created": made}

    def _check(self, sheet: Worksheet) -> None:
        """The tables of the part under one head, each group's title a row of its own."""
        for column, name in enumerate(COLUMNS):
            sheet.set_column(column, column, _WIDTHS[name])
        title = f"{plain(self._part.title)}　{self._book.domain}　{self._book.number}"
        self._put(sheet, 0, 0, title, bold=True, font_size=12, text_wrap=False)
        tables = [block for block in self._part.blocks if isinstance(block, Table)]
        for column, head in enumerate(tables[0].head if tables else ()):
            self._put(sheet, _HEAD, column, plain(head), bold=True, border=1, bg_color="#E8ECF0")
        row = _HEAD + 1
        for block in self._part.blocks:
            if isinstance(block, Heading) and block.level == 1:
                self._group(sheet, row, block)
                row += 1
            elif isinstance(block, Table):
                for cells in block.rows:
                    self._row(sheet, row, cells)
                    row += 1
        self._validate(sheet, row - 1)
        self._print(sheet, row - 1)

    def _group(self, sheet: Worksheet, row: int, heading: Heading) -> None:
        self._put(sheet, row, 0, plain(heading.text), bold=True, font_color=self._accent, text_wrap=False)

    def _row(self, sheet: Worksheet, row: int, cells: tuple[Rich, ...]) -> None:
        for column, (name, rich) in enumerate(zip(COLUMNS, cells, strict=True)):
            text = plain(rich)
            day = _day(text) if name in _DAYS else None
            if day is not None:
                sheet.write_datetime(row, column, day, self._format(border=1, num_format="yyyy/mm/dd", align="left"))
            elif name in _DAYS and not text:
                sheet.write_blank(row, column, None, self._format(border=1, num_format="yyyy/mm/dd", align="left"))
            else:
                self._put(sheet, row, column, text, border=1)

    def _validate(self, sheet: Worksheet, last: int) -> None:
        """Answers are chosen from a list, days are days."""
        answers = [self._texts.plain(f"checksheet.answer.{answer}") for answer in ("yes", "no")]
        answer = COLUMNS.index("answer")
        choice = {"validate": "list", "source": answers, "error_message": self._texts.plain("checksheet.sheet.answer")}
        sheet.data_validation(_HEAD + 1, answer, last, answer, choice)
        for name in sorted(_DAYS):
            column = COLUMNS.index(name)
            wanted = {
                "validate": "date",
                "criteria": ">=",
                "value": _FIRST_DAY,
                "error_message": self._texts.plain("checksheet.sheet.day"),
            }
            sheet.data_validation(_HEAD + 1, column, last, column, wanted)

    def _print(self, sheet: Worksheet, last: int) -> None:
        sheet.freeze_panes(_HEAD + 1, 0)
        sheet.repeat_rows(0, _HEAD)
        sheet.print_area(0, 0, last, len(COLUMNS) - 1)
        _paper(sheet)

    def _explain(self, sheet: Worksheet) -> None:
        """Whose it is, how to read it, and its sources."""
        sheet.set_column(0, 0, 28)
        sheet.set_column(1, 1, 90)
        for row, (name, value) in enumerate(_explained(self._part.blocks)):
            self._put(sheet, row, 0, name, bold=True)
            self._put(sheet, row, 1, value)
        _paper(sheet)

    def _put(self, sheet: Worksheet, row: int, column: int, text: str, **look: Any) -> None:
        """Text, never a formula, a number or a link."""
        shown = clip(visible(text), _MOST)
        if cell(shown) != shown:
            look = look | {"quote_prefix": True}
        sheet.write_string(row, column, shown, self._format(**look))

    def _format(self, **look: Any) -> Format:
        key = tuple(sorted(look.items()))
        if key not in self._made:
            usual = {"font_name": _FONT, "font_size": 10, "valign": "top", "text_wrap": True}
            self._made[key] = self._workbook.add_format(usual | look)
        return self._made[key]


def _workbook(buffer: BytesIO) -> Workbook:
    import xlsxwriter  # type: ignore[import-untyped]

    as_text = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    usual = {"font_name": _FONT, "font_size": 10}
    return xlsxwriter.Workbook(buffer, {"in_memory": True, "default_format_properties": usual, **as_text})


def _paper(sheet: Worksheet) -> None:
    """A4 across, as wide as the page, as long as it gets."""
    sheet.set_landscape()
    sheet.set_paper(_A4)
    sheet.set_margins(left=0.6, right=0.6, top=0.7, bottom=0.7)  # inches
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&C&P / &N")


def _day(text: str) -> date | None:
    try:
        return datetime.strptime(text, DAY).date()
    except ValueError:
        return None


def _explained(blocks: Iterable[Block]) -> Iterator[tuple[str, str]]:
    """What is no table of items, in two columns."""
    for block in blocks:
        match block:
            case Form():
                yield from ((plain(blank.label), plain(blank.value)) for blank in block.blanks)
            case Paragraph():
                yield "", _told(block.text)
            case Heading(level=level) if level > 1:
                yield plain(block.text), ""
            case Callout():
                yield plain(block.title), ""
                yield from _explained(block.blocks)
            case Bullets():
                for number, item in enumerate(block.items, 1):
                    mark = f"[{number}]" if block.ordered else ""
                    yield from ((mark or name, told) for name, told in _explained(item))


def _told(rich: Rich) -> str:
    """Words with the addresses that they lead to."""
    return "".join(map(span_text, rich))
