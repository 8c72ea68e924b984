"""Letters and the questionnaire as Word files, to be edited, sent, and filled in.

The same blocks as in every other form, one file for each letter. What a word processor adds is left out: no macros, no
fields but page numbers, no picture, and no QR code, because it would go on telling the old value when somebody edits
the record beside it. The same book gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

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
    Side,
    Signals,
    Span,
    Table,
    Tone,
    Verbatim,
    plain,
)
from mailguard.guidebook.brand import PLAIN, Brand
from mailguard.render.book.bare import span_text, symbol
from mailguard.render.safe import clip, visible

if TYPE_CHECKING:
    from docx.document import Document
    from docx.oxml.xmlchemy import BaseOxmlElement

LETTERS: Final = "letter-"
"""How the anchors of letters begin (``guidebook/parts/letters.py``); what follows names the vendor."""

QUESTIONNAIRE: Final = "questionnaire-form"

_FONTS: Final = {"ja": ("BIZ UDPGothic", "BIZ UDPGothic"), "en": ("Arial", "BIZ UDPGothic")}
_MONOSPACE: Final = ("Consolas", "BIZ UDGothic")
"""Letters of Latin script and of East Asian ones; a word processor without a font takes one of its own."""

_LANGUAGES: Final = {"ja": "ja-JP", "en": "en-GB"}
_RECORD: Final = "Record"  # a paragraph to be copied
_CODE: Final = "Code"  # a name within a sentence
_DEEPEST: Final = 4
_WIDTH: Final = 165.0  # of a line, in millimetres: A4 without its margins
_TITLE: Final = 255  # characters that a document's property can hold
_FIRST_DAY: Final = (1980, 1, 1, 0, 0, 0)  # of zip files


def render_letters(book: Book, brand: Brand = PLAIN) -> Iterator[tuple[str, bytes]]:
    """A file for each letter and for the questionnaire: its name without an ending, and its bytes.

    Nothing where the book has neither.
    """
    for card in _cards(book):
        name = "questionnaire" if card.anchor == QUESTIONNAIRE else card.anchor
        yield name, _file(_Writer(book, brand, card).document)


def _cards(book: Book) -> Iterator[Card]:
    for part in book.parts:
        for block in part.blocks:
            if isinstance(block, Card) and (block.anchor.startswith(LETTERS) or block.anchor == QUESTIONNAIRE):
                yield block


def _file(document: Document) -> bytes:
    """The document's bytes, without the times at which its parts were packed."""
    packed, fixed = BytesIO(), BytesIO()
    document.save(packed)
    with ZipFile(packed) as source, ZipFile(fixed, "w", ZIP_DEFLATED) as target:
        for name in source.namelist():
            entry = ZipInfo(name, _FIRST_DAY)
            entry.compress_type = ZIP_DEFLATED
            target.writestr(entry, source.read(name))
    return fixed.getvalue()


class _Writer:
    """Writes one card into a document of its own."""

    def __init__(self, book: Book, brand: Brand, card: Card) -> None:
        import docx

        self.document = docx.Document()
        self._language = book.language
        self._accent = brand.accent.lstrip("#").upper()
        self._page()
        self._styles()
        self._properties(book, card)
        self._head_and_foot(book)
        for block in card.blocks:
            self._write(self.document, block)

    def _page(self) -> None:
        from docx.shared import Mm

        section = self.document.sections[0]
        section.page_width, section.page_height = Mm(210), Mm(297)
        section.left_margin, section.right_margin = Mm(25), Mm(20)  # the left one for holes
        section.top_margin, section.bottom_margin = Mm(22), Mm(20)

    def _styles(self) -> None:
        defaults = self.document.styles.element.find(_w("docDefaults")).find(_w("rPrDefault")).find(_w("rPr"))
        self._font(defaults, *_FONTS[self._language])
        for language in (_child(defaults, "lang"), _child(self.document.settings.element, "themeFontLang")):
            for place in ("val", "eastAsia"):
                language.set(_w(place), _LANGUAGES[self._language])
        for level in range(1, _DEEPEST + 1):
            self._heading(level)
        self._usual_paragraph()
        self._styles_of_records()

    def _heading(self, level: int) -> None:
        from docx.shared import Pt, RGBColor

        style = self.document.styles[f"Heading {level}"]
        _remove(style.element.rPr, "rFonts")
        style.font.size = Pt((13, 11.5, 10.5, 10.5)[level - 1])
        style.font.italic = False
        style.font.color.rgb = RGBColor.from_string(self._accent if level < 3 else "1A1A1A")
        style.paragraph_format.space_before = Pt(12)
        style.paragraph_format.space_after = Pt(4)

    def _usual_paragraph(self) -> None:
        from docx.shared import Pt

        normal = self.document.styles["Normal"]
        normal.font.size = Pt(10.5)
        normal.paragraph_format.space_after = Pt(6)
        normal.paragraph_format.line_spacing = 1.35

    def _styles_of_records(self) -> None:
        """The two styles of our own: a record as a paragraph, and a name from DNS within a sentence."""
        from docx.enum.style import WD_STYLE_TYPE

        styles = self.document.styles
        record = styles.add_style(_RECORD, WD_STYLE_TYPE.PARAGRAPH)
        record.base_style = styles["Normal"]
        self._record(record.element)
        code = styles.add_style(_CODE, WD_STYLE_TYPE.CHARACTER)
        self._font(code.element.get_or_add_rPr(), *_MONOSPACE)
        _child(code.element.rPr, "noProof")

    def _record(self, style: BaseOxmlElement) -> None:
        """Monospace in a frame, neither corrected nor hyphenated, the whole record on one page."""
        properties = style.get_or_add_pPr()
        _child(properties, "keepLines")
        borders = _child(properties, "pBdr")
        for side in ("top", "left", "bottom", "right", "between"):  # without the last, two records share a frame
            edge = _child(borders, side)
            for name, value in (("val", "single"), ("sz", "4"), ("space", "4"), ("color", "8A8A8A")):
                edge.set(_w(name), value)
        _child(properties, "suppressAutoHyphens")
        self._font(style.get_or_add_rPr(), *_MONOSPACE)
        _child(style.rPr, "noProof")

    def _font(self, properties: BaseOxmlElement, latin: str, east_asian: str) -> None:
        """Fonts by name, for every script; a theme would choose others on each machine."""
        _remove(properties, "rFonts")
        fonts = _child(properties, "rFonts", first=True)
        for place, name in (("ascii", latin), ("hAnsi", latin), ("eastAsia", east_asian), ("cs", latin)):
            fonts.set(_w(place), name)

    def _properties(self, book: Book, card: Card) -> None:
        made = book.made_at.astimezone(UTC).replace(tzinfo=None)
        properties = self.document.core_properties
        properties.title = _property(f"{plain(card.title)} {book.domain}")
        properties.author = properties.last_modified_by = _property(book.imprint.name)
        properties.subject = _property(book.number)
        properties.comments = properties.keywords = ""
        properties.language = _LANGUAGES[book.language]
        properties.created = properties.modified = made
        _without_thumbnail(self.document)

    def _head_and_foot(self, book: Book) -> None:
        from docx.enum.text import WD_ALIGN_PARAGRAPH
        from docx.shared import Pt

        section = self.document.sections[0]
        head, foot = section.header.paragraphs[0], section.footer.paragraphs[0]
        head.alignment, foot.alignment = WD_ALIGN_PARAGRAPH.RIGHT, WD_ALIGN_PARAGRAPH.CENTER
        head.add_run(visible(book.number)).font.size = Pt(8)
        for instruction, between in (("PAGE", " / "), ("NUMPAGES", "")):
            _field(foot.add_run(), instruction)
            foot.add_run(between)

    def _write(self, place: Any, block: Block) -> None:
        """One block into the document, or into a cell."""
        match block:
            case Heading():
                self._paragraph(place, block.text, f"Heading {min(block.level, _DEEPEST)}")
            case Paragraph():
                self._aligned(self._paragraph(place, (*_symbol(block.tone), *block.text)), block.side)
            case Bullets():
                self._bullets(place, block, 1)
            case Table():
                self._table(place, block)
            case Record():
                self._records(place, block)
            case Form():
                rows = tuple(((*blank.label, *self._hint(blank.hint)), blank.value) for blank in block.blanks)
                lines = [blank.lines for blank in block.blanks]
                self._grid(place, (), rows, (34, 66), heights=[8.0 * max(count, 1) for count in lines])
            case Callout() | Card():
                self._framed(place, block)
            case Verbatim():
                self._copied(place, block.text.split("\n"))
            case PageBreak():
                from docx.enum.text import WD_BREAK

                place.add_paragraph().add_run().add_break(WD_BREAK.PAGE)
            case Signals():
                for signal in block.signals:
                    self._paragraph(place, (*_symbol(signal.tone), *signal.title, Span(" "), *signal.word))
                    self._paragraph(place, signal.text)
            case Chart():
                self._paragraph(place, block.title, "Heading 4")
                self._paragraph(place, block.alternative)
                self._table(place, block.numbers)

    def _paragraph(self, place: Any, rich: Rich, style: str = "") -> Any:
        paragraph = place.add_paragraph(style=self.document.styles[style] if style else None)
        self._runs(paragraph, rich)
        return paragraph

    def _runs(self, paragraph: Any, rich: Rich) -> None:
        for span in rich:
            run = paragraph.add_run(span_text(span))
            if span.kind is Kind.CODE:
                run.style = self.document.styles[_CODE]
            if span.kind is Kind.STRONG:
                run.bold = True

    def _aligned(self, paragraph: Any, side: Side) -> None:
        from docx.enum.text import WD_ALIGN_PARAGRAPH

        if side is not Side.START:
            paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT if side is Side.END else WD_ALIGN_PARAGRAPH.CENTER

    def _bullets(self, place: Any, bullets: Bullets, depth: int) -> None:
        style = f"List {'Number' if bullets.ordered else 'Bullet'}{'' if depth == 1 else f' {min(depth, 3)}'}"
        for item in bullets.items:
            for block in item:
                if isinstance(block, Paragraph):
                    self._paragraph(place, block.text, style)
                elif isinstance(block, Bullets):
                    self._bullets(place, block, depth + 1)
                else:
                    self._write(place, block)

    def _table(self, place: Any, table: Table) -> None:
        if table.caption:
            self._paragraph(place, table.caption, "Caption")
        heights = [9.0] * len(table.rows) if table.form else []
        self._grid(place, table.head, table.rows, table.widths, heights=heights)

    def _grid(
        self,
        place: Any,
        head: tuple[Rich, ...],
        rows: tuple[tuple[Rich, ...], ...],
        widths: tuple[int, ...],
        *,
        heights: list[float],
    ) -> None:
        """A table with its head repeated on every page, no row torn in two. Heights are least ones, in millimetres."""
        from docx.shared import Mm

        columns = max([len(head), *map(len, rows)], default=0)
        if not columns:
            return
        grid = place.add_table(len(rows) + bool(head), columns)
        grid.style = self.document.styles["Table Grid"]
        grid.autofit = False
        shares = [*widths, *[100 // columns] * (columns - len(widths))]
        for column, share in zip(grid.columns, shares, strict=False):
            column.width = Mm(_WIDTH / 100 * share)
        for number, cells in enumerate((head, *rows) if head else rows):
            self._row(grid.rows[number], cells, is_head=bool(head) and number == 0)
        for number, height in enumerate(heights, bool(head)):
            grid.rows[number].height = Mm(height)
        place.add_paragraph()

    def _row(self, row: Any, cells: tuple[Rich, ...], *, is_head: bool) -> None:
        properties = row._tr.get_or_add_trPr()
        _child(properties, "cantSplit")
        if is_head:
            _child(properties, "tblHeader")
        for cell, rich, column in zip(row.cells, cells, row.table.columns, strict=False):
            cell.width = column.width  # some word processors look at the cells alone
            self._runs(cell.paragraphs[0], rich)
            for run in cell.paragraphs[0].runs if is_head else ():
                run.bold = True

    def _records(self, place: Any, record: Record) -> None:
        from docx.enum.text import WD_ALIGN_PARAGRAPH

        self._paragraph(
            place, (*record.place, Span(" "), Span(record.name, Kind.CODE), Span(" "), Span(record.rrtype, Kind.CODE))
        )
        for labelled in (record.before, record.after, record.split):
            if labelled:
                self._labelled(place, labelled).alignment = WD_ALIGN_PARAGRAPH.LEFT

    def _labelled(self, place: Any, labelled: Labelled) -> Any:
        label = self._paragraph(place, labelled.label)
        label.paragraph_format.keep_with_next = True
        self._copied(place, labelled.lines)
        return label

    def _copied(self, place: Any, lines: Iterable[str]) -> None:
        for line in lines:
            place.add_paragraph(visible(line), style=self.document.styles[_RECORD])

    def _hint(self, hint: Rich) -> Rich:
        before, after = ("（", "）") if self._language == "ja" else (" (", ")")
        return (Span(before), *hint, Span(after)) if hint else ()

    def _framed(self, place: Any, block: Callout | Card) -> None:
        """A frame of one cell; a cell begins with a paragraph of its own, and must end with one."""
        frame = place.add_table(1, 1)
        frame.style = self.document.styles["Table Grid"]
        cell = frame.rows[0].cells[0]
        title = cell.paragraphs[0]
        self._runs(title, (*_symbol(block.tone), *block.title))
        for run in title.runs:
            run.bold = True
        for inner in block.blocks:
            self._write(cell, inner)
        place.add_paragraph()


def _symbol(tone: Tone | None) -> Rich:
    mark = symbol(tone)
    return (Span(mark),) if mark else ()


def _property(text: str) -> str:
    return clip(visible(text), _TITLE)


def _w(name: str) -> str:
    from docx.oxml.ns import qn

    return qn(f"w:{name}")


def _child(parent: Any, name: str, *, first: bool = False) -> Any:
    """The child element of a name, made where there is none."""
    from docx.oxml import OxmlElement

    found = parent.find(_w(name))
    if found is None:
        found = OxmlElement(f"w:{name}")
        parent.insert(0, found) if first else parent.append(found)
    return found


def _remove(parent: Any, name: str) -> None:
    for found in parent.findall(_w(name)):
        parent.remove(found)


def _field(run: Any, instruction: str) -> None:
    """A field that the word processor fills in: its beginning, what it shows, its end."""
    from docx.oxml import OxmlElement

    for kind in ("begin", "", "end"):
        element = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            element.set(_w("fldCharType"), kind)
        else:
            element.text = instruction
        run._r.append(element)


def _without_thumbnail(document: Document) -> None:
    """The library's blank document comes with a picture of itself."""
    relations = document.part.package.rels
    for key in [key for key, relation in relations.items() if relation.reltype.endswith("/thumbnail")]:
        relations.pop(key)
