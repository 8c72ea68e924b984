"""What the guide rests on: when, whom and what was asked, what was answered, and what nobody looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from mailguard.guidebook.blocks import (
    Block,
    Bullets,
    Callout,
    Heading,
    Paragraph,
    Part,
    Reader,
    Rich,
    Span,
    Table,
    Tone,
    code,
    fact,
)
from mailguard.guidebook.book import book_number
from mailguard.guidebook.case import Case
from mailguard.guidebook.telling import Document, listed
from mailguard.guidebook.texts import Texts
from mailguard.inquiry import Answer, Mx, Rdata, Status, Txt
from mailguard.render.phrases import Phrases
from mailguard.render.safe import brief
from mailguard.zone.reach import CUT_OFF, doubted

MAX_ANSWERS: Final = 60
MAX_UNANSWERED: Final = 40
MAX_RECORDS: Final = 4
MAX_CHARACTERS: Final = 160
"""What is shown of one record; the evidence file has all of it."""

UNEXAMINED: Final = (
    "display-names",
    "look-alikes",
    "inbound",
    "contents",
    "accounts",
    "selectors",
    "transport",
    "future",
)
"""What this guide cannot know, in words of their own."""


def make(case: Case, texts: Texts) -> Part:
    """The evidence, for whoever has to check it."""
    return Part(
        id="evidence",
        title=texts("evidence.title"),
        blocks=(
            Paragraph(texts("evidence.lead"), lead=True),
            *_how(case, texts),
            *_unanswered(case, texts),
            *_seen(case, texts),
            *_second_opinion(case, texts),
            *_unexamined(texts),
        ),
        readers=frozenset((Reader.IT, Reader.VENDOR)),
    )


def _how(case: Case, texts: Texts) -> Iterator[Block]:
    document = case.document
    servers = document.get("answered_by", ())
    rows = [
        (texts("evidence.domain"), (code(case.domain),)),
        (texts("evidence.asked-at"), texts("evidence.moment", moment=case.as_of)),
        (texts("evidence.number"), (code(book_number(case)),)),
        (texts("evidence.questions"), texts("evidence.count", count=document["questions"])),
        (texts("evidence.server"), (code(listed(servers, texts)),) if servers else texts("evidence.not-kept")),
        (texts("evidence.dnssec"), _dnssec(document, texts)),
        (texts("evidence.version"), (code(document["mailguard"]),)),
        (texts("evidence.policy"), (code(document["policy"]),)),
    ]
    yield Table((texts("evidence.what"), texts("evidence.value")), tuple(rows), widths=(32, 68))


def _dnssec(document: Document, texts: Texts) -> Rich:
    known = document.get("dnssec")
    if known is None:
        return texts("evidence.not-kept")
    validated, answers = known["validated"], known["answers"]
    state = "none" if not validated else "all" if validated == answers else "some"
    return texts(f"evidence.dnssec.{state}", validated=validated, answers=answers)


def _unanswered(case: Case, texts: Texts) -> Iterator[Block]:
    rows = case.document["unanswered"]
    yield Heading(texts("evidence.unanswered"))
    if not rows:
        yield Paragraph(texts("evidence.unanswered.none"))
        return
    yield Paragraph(texts("evidence.unanswered.text"))
    phrases = Phrases(texts.language)
    told = tuple(_question(row["name"], row["type"], (fact(phrases.unanswered(row)),)) for row in rows[:MAX_UNANSWERED])
    yield Table((texts("evidence.question"), texts("evidence.what-became")), told, widths=(55, 45))
    yield from _rest(len(rows) - MAX_UNANSWERED, texts)


def _question(name: str, rrtype: str, answer: Rich) -> tuple[Rich, Rich]:
    return (code(f"{name} {rrtype}"),), answer


def _rest(count: int, texts: Texts) -> Iterator[Block]:
    if count > 0:
        yield Paragraph(texts("evidence.rest", count=count), tone=Tone.QUIET)


def _seen(case: Case, texts: Texts) -> Iterator[Block]:
    """Every answer where the evidence is at hand, else the records that decided."""
    yield Heading(texts("evidence.answers"))
    if case.evidence is None:
        yield Paragraph(texts("evidence.answers.not-at-hand"))
        yield _deciding(case.document, texts)
        return
    answered = [answer for answer in _believed(case.document, case.evidence.answers) if not answer.unanswered]
    rows = tuple(_answer(answer, texts) for answer in answered[:MAX_ANSWERS])
    yield Table((texts("evidence.question"), texts("evidence.answer")), rows, widths=(38, 62))
    yield from _rest(len(answered) - MAX_ANSWERS, texts)


def _believed(document: Document, answers: Iterable[Answer]) -> Iterator[Answer]:
    """The answers as they were judged: what a server without the internet denies stands among the unanswered."""
    is_cut_off = any(row.get("note") == CUT_OFF for row in document["unanswered"])
    return map(doubted, answers) if is_cut_off else iter(answers)


def _answer(answer: Answer, texts: Texts) -> tuple[Rich, Rich]:
    question = answer.question
    if not answer.present:
        absent = "evidence.no-name" if answer.status is Status.NXDOMAIN else "evidence.no-record"
        return _question(question.name, question.rrtype, texts(absent))
    shown: list[Span] = []
    for record in answer.records[:MAX_RECORDS]:
        shown += [*(texts("evidence.separator") if shown else ()), code(brief(_text(record), MAX_CHARACTERS))]
    more = len(answer.records) - MAX_RECORDS
    return _question(
        question.name, question.rrtype, (*shown, *(texts("evidence.more", count=more) if more > 0 else ()))
    )


def _text(record: Rdata) -> str:
    if isinstance(record, Txt):
        return record.joined.decode("utf-8", "backslashreplace")
    return f"{record.preference} {record.exchange or '.'}" if isinstance(record, Mx) else str(record)


def _deciding(document: Document, texts: Texts) -> Table:
    rows = (
        (texts("evidence.spf"), _record(document["spf"], texts)),
        (texts("evidence.dmarc"), _record(document["dmarc"], texts)),
        (texts("evidence.dkim"), _listed((one["selector"] for one in document["dkim"]["selectors"]), texts)),
        (texts("evidence.mx"), _listed(document["mx"]["hosts"], texts)),
    )
    return Table((texts("evidence.what"), texts("evidence.answer")), rows, widths=(38, 62))


def _record(part: Document, texts: Texts) -> Rich:
    """The record that counts. Where none does, that may be because several stand there, or none can be used."""
    if part["status"] == "unanswered":
        return texts("evidence.no-answer")
    if part["record"]:
        return (code(brief(part["record"])),)
    return texts("evidence.no-record" if part["status"] == "none" else "evidence.none-counts")


def _listed(items: Iterable[object], texts: Texts) -> Rich:
    shown = listed(items, texts)
    return (code(brief(shown)),) if shown else texts("evidence.nothing-seen")


def _second_opinion(case: Case, texts: Texts) -> Iterator[Block]:
    yield Heading(texts("evidence.second"))
    opinion = case.document.get("second_opinion")
    if opinion is None:
        yield Paragraph(texts("evidence.second.none"))
        return
    by, version = opinion["by"], opinion["version"]
    differences = opinion["disagreements"]
    yield Paragraph(
        texts("evidence.second.differs" if differences else "evidence.second.agrees", by=by, version=version)
    )
    if differences:
        columns = ("aspect", "ours", "theirs", "why")
        rows = tuple(_disagreement(one, texts) for one in differences)
        yield Table(tuple(texts(f"evidence.second.{column}") for column in columns), rows, widths=(14, 22, 22, 42))


def _disagreement(one: Document, texts: Texts) -> tuple[Rich, ...]:
    values = (fact(brief(str(one[key]))) for key in ("aspect", "ours", "theirs"))
    return (*((value,) for value in values), (fact(one["explanation"][texts.language]),))


def _unexamined(texts: Texts) -> Iterator[Block]:
    items = tuple((Paragraph(texts(f"evidence.unexamined.{one}")),) for one in UNEXAMINED)
    yield Callout(
        texts("evidence.unexamined"), (Paragraph(texts("evidence.unexamined.text")), Bullets(items)), Tone.CARE
    )
