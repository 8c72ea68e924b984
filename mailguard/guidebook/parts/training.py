"""Staff training of fifteen minutes: hand-out, quiz, attendance sheet, and a page of answers for the trainer.

What is said of our own address depends on the audit; the quiz asks about it too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mailguard.guidebook.blocks import (
    Blank,
    Block,
    Callout,
    Form,
    Heading,
    PageBreak,
    Paragraph,
    Part,
    Reader,
    Table,
    Tone,
    fact,
)
from mailguard.guidebook.book import book_number
from mailguard.guidebook.case import Case
from mailguard.guidebook.claims import told
from mailguard.guidebook.exposure import Exposure, judge_exposure
from mailguard.guidebook.pages import load_page, page_blocks
from mailguard.guidebook.texts import Texts
from mailguard.guidebook.unused import is_without_mail

TONES: Final = {
    Exposure.OPEN: Tone.ACT,
    Exposure.SHARED: Tone.CARE,
    Exposure.BELOW: Tone.CARE,
    Exposure.JUNK: Tone.CARE,
    Exposure.CLOSED: Tone.GOOD,
    Exposure.UNKNOWN: Tone.UNKNOWN,
}

QUIZ: Final = {"name": "×", "bank": "○", "delete": "×", "own": "×", "opened": "○", "service": "○", "alike": "×"}
"""Questions in their order, with their answers."""

_ROWS: Final = 12
_KINDS: Final = {"own": "", "name": "never", "alike": "never", "taken": "taken"}  # and whether settings stop them


def make(case: Case, texts: Texts) -> Part:
    """The training for the staff of the audited domain's hospital."""
    for_staff = (*_hand_out(case, texts), PageBreak(), *_quiz(texts), PageBreak(), *_attendance(case, texts))
    for_trainer = (*_answers(case, texts), *_report(texts), *_page("training-place", case, texts))
    readers = frozenset({Reader.IT, Reader.STAFF})
    blocks = told((*for_staff, PageBreak(), *for_trainer), texts, "training")
    return Part("training", texts("training.title"), blocks, readers)


def _page(name: str, case: Case, texts: Texts) -> tuple[Block, ...]:
    return page_blocks(load_page(name, texts.language), {"domain": case.domain}, texts.language)


def _hand_out(case: Case, texts: Texts) -> Iterator[Block]:
    yield Paragraph(texts("training.lead"), lead=True)
    yield Paragraph(texts("training.use"))
    yield _state(case, texts)
    yield Heading(texts("training.kinds"))
    yield _kinds(case, texts)
    yield from _page("training-spot", case, texts)
    yield Callout(texts("training.contact-title"), (_form(texts, "contact-name", "contact-phone", "contact-away"),))
    yield from _page("training-act", case, texts)


def _state(case: Case, texts: Texts) -> Callout:
    """What holds today for our own address."""
    exposure = judge_exposure(case.document)
    words = [f"training.state-{exposure}"]
    if is_without_mail(case.document):
        words.insert(0, "training.state-no-mail")
    told_state = tuple(Paragraph(texts(message, domain=case.domain)) for message in words)
    return Callout(texts("training.state-title", day=case.as_of), told_state, TONES[exposure])


def _kinds(case: Case, texts: Texts) -> Table:
    exposure = judge_exposure(case.document)
    head = tuple(texts(f"training.head-{column}") for column in ("kind", "look", "stopped"))
    rows = tuple(
        (
            texts(f"training.kind-{kind}"),
            texts(f"training.look-{kind}", domain=case.domain),
            texts(f"training.stopped-{stopped or exposure}"),
        )
        for kind, stopped in _KINDS.items()
    )
    return Table(head, rows, widths=(22, 38, 40))


def _quiz(texts: Texts) -> Iterator[Block]:
    yield Heading(texts("training.quiz-title"), anchor="training-quiz")
    yield Paragraph(texts("training.quiz-lead"))
    yield _form(texts, "quiz-name")
    head = tuple(texts(f"training.head-{column}") for column in ("number", "question", "mark"))
    rows = (((fact(number),), texts(f"training.ask-{ask}"), ()) for number, ask in enumerate(QUIZ, 1))
    yield Table(head, tuple(rows), widths=(10, 75, 15), form=True)


def _answers(case: Case, texts: Texts) -> Iterator[Block]:
    yield Heading(texts("training.answers-title"), anchor="training-answers")
    yield Paragraph(texts("training.answers-lead"))
    exposure = judge_exposure(case.document)
    head = tuple(texts(f"training.head-{column}") for column in ("number", "answer", "why"))
    why = {ask: texts(f"training.why-own-{exposure}" if ask == "own" else f"training.why-{ask}") for ask in QUIZ}
    rows = (((fact(number),), (fact(QUIZ[ask]),), why[ask]) for number, ask in enumerate(QUIZ, 1))
    yield Table(head, tuple(rows), widths=(10, 15, 75))


def _attendance(case: Case, texts: Texts) -> Iterator[Block]:
    yield Heading(texts("training.attendance-title"), anchor="training-attendance")
    material = texts("training.material-value", number=book_number(case), day=case.as_of)
    yield Form(
        (
            *(Blank(texts(f"training.{field}")) for field in ("date", "place", "trainer")),
            Blank(texts("training.subject"), texts("training.subject-value")),
            Blank(texts("training.material"), material),
        )
    )
    head = tuple(texts(f"training.head-{column}") for column in ("number", "section", "person", "day", "right"))
    rows = tuple(((fact(number),), (), (), (), ()) for number in range(1, _ROWS + 1))
    yield Table(head, rows, texts("training.attendance-caption"), widths=(10, 22, 30, 20, 18), form=True)


def _report(texts: Texts) -> Iterator[Block]:
    yield Heading(texts("training.report-title"), anchor="training-report")
    yield Paragraph(texts("training.report-lead"))
    yield _form(texts, "report-staff", "report-done", "report-rest", "report-told")
    yield Heading(texts("training.place-title"))


def _form(texts: Texts, *fields: str) -> Form:
    return Form(tuple(Blank(texts(f"training.{field}")) for field in fields))
