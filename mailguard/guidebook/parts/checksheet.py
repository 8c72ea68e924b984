"""The check sheet: yes or no, the day, a target date, the person; filled in where DNS answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from mailguard.guidebook.blocks import (
    Blank,
    Block,
    Bullets,
    Callout,
    Form,
    Heading,
    Paragraph,
    Part,
    Reader,
    Rich,
    Span,
    Table,
    code,
)
from mailguard.guidebook.book import book_number
from mailguard.guidebook.case import Case
from mailguard.guidebook.checks import Mark
from mailguard.guidebook.claims import told
from mailguard.guidebook.clauses import load_guideline
from mailguard.guidebook.sheets import Group, Item, Line, fill_checksheet
from mailguard.guidebook.telling import listed, plan_of
from mailguard.guidebook.texts import Texts

COLUMNS: Final = ("number", "item", "answer", "checked", "target", "person")
"""The columns of its tables, by which the spreadsheet knows what may be entered where."""

DAY: Final = "%Y/%m/%d"
"""How its days are written: short, and read again by the spreadsheet."""

_WIDTHS: Final = (8, 32, 10, 19, 19, 12)
_MARKS: Final = ("audited", "unanswered", "open", "target", "near")


def make(case: Case, texts: Texts) -> Part:
    """The sheet for the audited domain."""
    groups = fill_checksheet(case, plan_of(case))
    before = (Paragraph(texts("checksheet.lead"), lead=True), _facts(case, texts), _count(groups, texts))
    notes = told((_marks(texts), Paragraph(texts("checksheet.origin"))), texts, "checksheet")
    blocks = (*before, *_tables(groups, texts), *notes)
    return Part("checksheet", texts("checksheet.title"), blocks, frozenset((Reader.IT,)))


def _facts(case: Case, texts: Texts) -> Form:
    clinic = texts("checksheet.facts.clinic.value", name=case.clinic.name) if case.clinic.name else ()
    return Form(
        (
            Blank(texts("checksheet.facts.clinic"), clinic),
            Blank(texts("checksheet.facts.domain"), (code(case.domain),)),
            Blank(texts("checksheet.facts.asked"), texts("checksheet.facts.moment", moment=case.as_of)),
            Blank(texts("checksheet.facts.number"), (code(book_number(case)),)),
            Blank(texts("checksheet.facts.by")),
        )
    )


def _count(groups: Sequence[Group[Line]], texts: Texts) -> Paragraph:
    marks = [line.look.mark for group in groups for line in group.entries]
    good = marks.count(Mark.YES)
    return Paragraph(texts("checksheet.count", known=good + marks.count(Mark.NO), good=good))


def _tables(groups: Sequence[Group[Line]], texts: Texts) -> Iterator[Block]:
    head = tuple(texts(f"checksheet.column.{column}") for column in COLUMNS)
    for group in groups:
        yield Heading(texts("checksheet.group", number=group.id, title=group.title.of(texts.language)))
        rows = tuple(_row(line, texts) for line in group.entries)
        yield Table(head, rows, widths=_WIDTHS, form=True)


def _row(line: Line, texts: Texts) -> tuple[Rich, ...]:
    return (
        (Span(line.item.id),),
        _item(line.item, texts),
        () if line.look.mark is Mark.OPEN else texts(f"checksheet.answer.{line.look.mark}"),
        _day(line.checked, texts),
        _day(line.target, texts),
        (),
    )


def _item(item: Item, texts: Texts) -> Rich:
    """The item with the clauses that it is near to, as margins of the ministry's manual name them."""
    says = (Span(item.says.of(texts.language)),)
    clauses = load_guideline().clauses
    near = listed((clauses[clause].name(texts.language) for clause in item.clauses), texts)
    return texts("checksheet.item", item=says, near=near) if near else says


def _day(day: date | None, texts: Texts) -> Rich:
    return texts("checksheet.day", day=f"{day:{DAY}}") if day else ()


def _marks(texts: Texts) -> Callout:
    items = tuple((Paragraph(texts(f"checksheet.marks.{mark}")),) for mark in _MARKS)
    return Callout(texts("checksheet.marks"), (Bullets(items),))
