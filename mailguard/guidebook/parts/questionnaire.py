"""The questionnaire for the mail provider, in the manner of a disclosure form, with what DNS shows filled in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mailguard.guidebook.blocks import Blank, Block, Card, Form, Heading, Paragraph, Part, Reader, Rich, Span, Table
from mailguard.guidebook.case import Case
from mailguard.guidebook.checks import Mark, look
from mailguard.guidebook.exposure import Exposure, judge_exposure
from mailguard.guidebook.sheets import Group, Question, load_questionnaire
from mailguard.guidebook.telling import listed
from mailguard.guidebook.texts import Texts
from mailguard.guidebook.unused import is_without_mail
from mailguard.render.safe import clip

ANCHOR: Final = "questionnaire-form"
"""The anchor of the form's card, by which renderers know it."""

MAX_SHOWN: Final = 200
"""Characters of a record in the column of remarks; a whole one can fill a page."""


def make(case: Case, texts: Texts) -> Part | None:
    """The questionnaire; None for a domain without mail, and for one that is the provider's own."""
    if is_without_mail(case.document) or judge_exposure(case.document) is Exposure.SHARED:
        return None
    card = Card(texts("questionnaire.card", domain=case.domain), tuple(_form(case, texts)), anchor=ANCHOR, page=True)
    return Part("questionnaire", texts("questionnaire.title"), (card,), frozenset((Reader.VENDOR, Reader.IT)))


def _form(case: Case, texts: Texts) -> Iterator[Block]:
    clinic = texts("questionnaire.from.value", name=case.clinic.name) if case.clinic.name else ()
    due = texts("questionnaire.from.day", day=case.first_due)
    asked = (Blank(texts("questionnaire.from.clinic"), clinic), Blank(texts("questionnaire.from.due"), due))
    by = (Blank(texts(f"questionnaire.by.{field}")) for field in ("company", "service", "person", "date"))
    yield Paragraph(texts("questionnaire.lead"))
    yield Form((*asked, *by))
    yield Paragraph(texts("questionnaire.use"))
    yield Paragraph(texts("questionnaire.seen", day=case.as_of))
    for group in load_questionnaire():
        title = group.title.of(texts.language)
        yield Heading(texts("questionnaire.group", number=group.id, title=title), 2)
        yield _table(group, case, texts)
    yield Paragraph(texts("questionnaire.end"))
    yield Form((Blank(texts("questionnaire.more"), lines=3),))


def _table(group: Group[Question], case: Case, texts: Texts) -> Table:
    head = tuple(texts(f"questionnaire.column.{column}") for column in ("number", "question", "answer", "remark"))
    rows = tuple(_row(question, case, texts) for question in group.entries)
    return Table(head, rows, widths=(9, 38, 25, 28), form=True)


def _row(question: Question, case: Case, texts: Texts) -> tuple[Rich, ...]:
    seen = look(question.seen, case)
    wanted = question.remark.of(texts.language)
    shown = clip(listed(seen.shown, texts), MAX_SHOWN) if seen.mark in (Mark.YES, Mark.NO) else ""
    remark = texts("questionnaire.remark.seen", wanted=wanted, seen=shown) if shown else ()
    return (
        (Span(question.id),),
        (Span(question.says.of(texts.language)),),
        texts(f"questionnaire.answer.{seen.mark}"),
        remark or texts("questionnaire.remark.open", wanted=wanted),
    )
