"""A request letter for each company with a task: what, why, the records exactly, when, and a form to send back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from shlex import quote
from typing import Final

from mailguard.guidebook.actors import Actor
from mailguard.guidebook.blocks import (
    Blank,
    Block,
    Bullets,
    Callout,
    Card,
    Form,
    Heading,
    PageBreak,
    Paragraph,
    Part,
    Reader,
    Rich,
    Side,
    Table,
    Tone,
    Verbatim,
    code,
)
from mailguard.guidebook.book import book_number
from mailguard.guidebook.case import Case
from mailguard.guidebook.fixes import record_block
from mailguard.guidebook.letters import Letter, Moment, Request, is_value_open, make_letters, place_of
from mailguard.guidebook.pages import page_inline
from mailguard.guidebook.tasks import Work
from mailguard.guidebook.telling import Document, facts_of, guide_of, name_of, plan_of
from mailguard.guidebook.texts import Texts

ANSWERS: Final = {
    Work.TELL_SPF: ("spf",),
    Work.MAKE_KEY: ("selector", "key"),
    Work.CONFIRM_KEY: ("selector", "key"),
    Work.TELL_MX: ("mx",),
    Work.NAME_WEB_MAIL: ("from", "server", "spf", "signs"),
}
"""What a vendor is asked to tell, and fills in on the form."""

_HINTS: Final = frozenset({"spf", "key", "signs"})
_LINES: Final = {"key": 4}


def make(case: Case, texts: Texts) -> Part | None:
    """The letters; None where nobody outside has anything to do."""
    letters = make_letters(case, plan_of(case))
    if not letters:
        return None
    blocks = (*_before_sending(letters, texts), *(_card(letter, case, texts) for letter in letters))
    return Part("letters", texts("letters.title"), blocks, frozenset((Reader.VENDOR, Reader.IT)))


def anchor_of(actor: Actor) -> str:
    """The anchor of a letter's card, by which renderers know it."""
    return f"letter-{actor}"


def _before_sending(letters: Sequence[Letter], texts: Texts) -> Iterator[Block]:
    """For whoever sends them; no part of any letter."""
    count = len(letters)
    yield Paragraph(texts("letters.lead.one") if count == 1 else texts("letters.lead.many", count=count), lead=True)
    requests = [request for letter in letters for request in letter.requests]
    advice = ["window", *(["same"] if count > 1 else []), "way"]
    if any(request.options for request in requests):
        advice.append("rivals")
    if any("report-address" in fix["reasons"] for request in requests for fix in request.task.fixes):
        advice.append("address")
    items: list[tuple[Block, ...]] = [(Paragraph(texts(f"letters.use.{one}")),) for one in (*advice, "keep")]
    items += (_choice(letter, texts) for letter in letters if len(letter.companies) > 1)
    undecided = [request for request in requests if _wants_decision(request)]
    if undecided:
        works = Bullets(tuple((Paragraph(texts(f"todo.work.{one.task.work}")),) for one in undecided))
        items.append((Paragraph(texts("letters.use.decide")), works))
    yield Callout(texts("letters.use"), (Bullets(tuple(items)),), Tone.CARE)


def _choice(letter: Letter, texts: Texts) -> tuple[Block, ...]:
    """Why the address is blank, and whom of those seen to choose from."""
    names = (texts("letters.use.company", company=name_of(one, texts)) for one in letter.companies)
    return Paragraph(texts(f"letters.use.choose.{letter.actor}")), Bullets(tuple((Paragraph(name),) for name in names))


def _wants_decision(request: Request) -> bool:
    """Whether the hospital must have decided before the letter goes out, not only before the work is done."""
    undecided = any(fix["readiness"] == "needs-your-decision" for fix in request.task.fixes)
    return undecided and request.moment is not Moment.DECISION


def _card(letter: Letter, case: Case, texts: Texts) -> Card:
    blocks = (*_head(letter, case, texts), *_body(letter, case, texts), *_form(letter, case, texts))
    return Card(texts(f"letters.card.{letter.actor}"), blocks, anchor=anchor_of(letter.actor), page=True)


def _head(letter: Letter, case: Case, texts: Texts) -> Iterator[Block]:
    """Date, to whom, from whom, and what it is about, down to the word that the details follow."""
    yield Paragraph(texts("letters.date", day=case.made_at), side=Side.END)
    company = letter.company
    yield Paragraph(texts("letters.to", company=name_of(company, texts)) if company else texts("letters.to.blank"))
    clinic = case.clinic.name
    sender = texts("letters.from.clinic", clinic=clinic) if clinic else texts("letters.from.clinic.blank")
    for line in (sender, texts("letters.from.person"), texts("letters.from.contact")):
        yield Paragraph(line, side=Side.END)
    yield Heading(texts(f"letters.subject.{letter.actor}"))
    yield Paragraph(texts("letters.greeting"))
    yield Paragraph(texts(f"letters.why.{letter.why}", domain=case.domain))
    yield Paragraph(texts("letters.ask"))
    yield Paragraph(texts("letters.closing"), side=Side.END)
    yield Paragraph(texts("letters.below"), side=Side.CENTRE)


def _body(letter: Letter, case: Case, texts: Texts) -> Iterator[Block]:
    yield Heading(texts("letters.facts"), 2)
    yield _facts(letter, case, texts)
    if len(letter.requests) > 1:
        yield Heading(texts("letters.requests"), 2)
        yield _overview(letter, texts)
    if any(request.first for request in letter.requests):
        yield Paragraph(texts("letters.due-moves"), tone=Tone.QUIET)
    yield Heading(texts("letters.contents"), 2)
    for number, request in enumerate(letter.requests, 1):
        yield from _request(number, request, case, texts)
    yield from _check(letter, case, texts)
    yield Paragraph(texts("letters.reply"))
    yield Paragraph(texts("letters.end"), side=Side.END)


def _facts(letter: Letter, case: Case, texts: Texts) -> Table:
    rows: tuple[tuple[Rich, ...], ...] = (
        (texts("letters.facts.domain"), (code(case.domain),)),
        (texts("letters.facts.asked"), texts("letters.facts.moment", moment=case.as_of)),
        (texts("letters.facts.number"), (code(book_number(case)),)),
        (texts("letters.facts.due"), texts("letters.facts.day", day=letter.due)),
    )
    return Table((), rows, widths=(32, 68))


def _overview(letter: Letter, texts: Texts) -> Table:
    columns = ("number", "work", "moment", "due")
    rows = tuple(
        (
            texts("letters.number", number=number),
            texts(f"todo.work.{request.task.work}"),
            texts(f"letters.moment.{request.moment}"),
            texts("letters.due", day=request.task.due),
        )
        for number, request in enumerate(letter.requests, 1)
    )
    head = tuple(texts(f"letters.column.{column}") for column in columns)
    return Table(head, rows, row_heads=False, widths=(8, 41, 27, 24))


def _request(number: int, request: Request, case: Case, texts: Texts) -> Iterator[Block]:
    task = request.task
    yield Heading(texts("letters.request", number=number, work=texts(f"todo.work.{task.work}")), 3)
    yield Paragraph(texts(f"letters.do.{task.work}", domain=case.domain))
    findings = [case.document["findings"][index] for index in task.findings]
    if findings:
        told = (page_inline(guide_of(one, texts).summary, facts_of(one, case), texts.language) for one in findings)
        yield Paragraph(texts("letters.seen"))
        yield Bullets(tuple((Paragraph(summary),) for summary in dict.fromkeys(told)))
    yield from _conditions(request, case, texts)
    yield from _records(request, texts)


def _conditions(request: Request, case: Case, texts: Texts) -> Iterator[Block]:
    """What has to come first, and that the vendor hears from the hospital when it has."""
    if request.first:
        items = [
            texts("letters.wait.item", who=texts(f"letters.wait.who.{one.actor}"), work=texts(f"todo.work.{one.work}"))
            for one in request.first
        ]
        waits = "decision" if request.moment is Moment.DECISION else "after"
        told = (Paragraph(texts(f"letters.wait.{waits}")), Bullets(tuple((Paragraph(item),) for item in items)))
        yield Callout(texts(f"letters.moment.{request.moment}"), told, Tone.CARE)
    elif request.moment is Moment.AFTER:
        yield Paragraph(texts("letters.wait.after.bare"))
    if is_value_open(request.task):
        yield Paragraph(texts("letters.value-later"))
    elif request.overtaken:
        yield Paragraph(texts("letters.overtaken", day=case.as_of))


def _records(request: Request, texts: Texts) -> Iterator[Block]:
    """Every record, once. Fixes that would write the same one are options, each alone with what it changes."""
    plain, options = request.plain_fixes, request.options
    yield from _effects(plain, texts)
    yield from (record_block(record, texts) for fix in plain for record in fix["records"])
    if options:
        yield Paragraph(texts("letters.rivals"))
        yield Form((Blank(texts("letters.rivals.chosen")),))
    for number, fix in enumerate(options, 1):
        yield Heading(texts("letters.option", number=number), 4)
        yield from _effects((fix,), texts)
        yield from (record_block(record, texts) for record in fix["records"])


def _effects(fixes: Sequence[Document], texts: Texts) -> Iterator[Block]:
    # A report address is prepared by the hospital, which is among what comes first.
    reasons = dict.fromkeys(reason for fix in fixes for reason in fix["reasons"] if reason != "report-address")
    if reasons:
        yield Paragraph(texts("letters.effects"))
        yield Bullets(tuple((Paragraph(texts(f"findings.reason.{reason}")),) for reason in reasons))


def _writes(letter: Letter) -> list[Document]:
    return [record for request in letter.requests for record in request.records]


def _check(letter: Letter, case: Case, texts: Texts) -> Iterator[Block]:
    records = _writes(letter)
    if records:
        yield Heading(texts("letters.check"), 2)
        yield Paragraph(texts("letters.check.before"))
        yield Paragraph(texts("letters.check.stale", day=case.as_of))
        yield Paragraph(texts("letters.check.how"))
        places = dict.fromkeys(map(place_of, records))
        yield Verbatim("\n".join(f"dig +short {rrtype} {quote(name)}" for name, rrtype in places))  # *.example


def _form(letter: Letter, case: Case, texts: Texts) -> Iterator[Block]:
    """What comes back: on a page of its own, so that it can be sent alone."""
    yield PageBreak()
    yield Heading(texts("letters.form"))
    yield Paragraph(texts("letters.form.lead"))
    subject = texts(
        "letters.form.subject.value",
        subject=texts(f"letters.subject.{letter.actor}"),
        domain=case.domain,
        number=book_number(case),
    )
    own = (Blank(texts(f"letters.form.{field}")) for field in ("company", "person", "contact"))
    yield Form((Blank(texts("letters.form.subject"), subject), *own))
    yield _results(letter, texts)
    answers = dict.fromkeys(answer for request in letter.requests for answer in ANSWERS.get(request.task.work, ()))
    if answers:
        yield Heading(texts("letters.form.answers"), 2)
    hint = texts("letters.form.records.hint")
    in_place = () if answers else (Blank(texts("letters.form.records"), hint=hint, lines=4),)
    remarks = Blank(texts("letters.form.remarks"), lines=3)
    yield Form((*(_answer(answer, texts) for answer in answers), *in_place, remarks))


def _results(letter: Letter, texts: Texts) -> Table:
    rows = tuple(
        (texts("letters.number", number=number), texts(f"todo.work.{request.task.work}"), (), ())
        for number, request in enumerate(letter.requests, 1)
    )
    head = tuple(texts(f"letters.column.{column}") for column in ("number", "work", "result", "done"))
    return Table(head, rows, row_heads=False, widths=(8, 41, 27, 24), form=True)


def _answer(answer: str, texts: Texts) -> Blank:
    hint = texts(f"letters.answer.{answer}.hint") if answer in _HINTS else ()
    return Blank(texts(f"letters.answer.{answer}"), hint=hint, lines=_LINES.get(answer, 1))
