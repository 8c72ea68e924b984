"""Training, incident sheets and booklet say what holds for the audited domain, and no more."""

from __future__ import annotations

import re

import pytest

from mailguard.guidebook.blocks import (
    Block,
    Callout,
    Card,
    Form,
    Heading,
    PageBreak,
    Part,
    Reader,
    Rich,
    Table,
    Tone,
    Verbatim,
    plain,
)
from mailguard.guidebook.case import Case
from mailguard.guidebook.exposure import Exposure, judge_exposure
from mailguard.guidebook.parts import incident, training
from mailguard.guidebook.parts.incident import NOTICES, SHEETS
from mailguard.guidebook.parts.training import QUIZ
from mailguard.guidebook.texts import Texts
from tests.guidebook.cases import blocks_in, case_of, lines, spans_in
from tests.guidebook.people import STORIES, document, part_of
from tests.render.documents import document_of

LANGUAGES = ("ja", "en")
CAN_ARRIVE = {"ja": "届くことがあります", "en": "can still arrive"}
EXPOSURES = {story: Exposure(story) for story in STORIES if story != "no-mail"} | {"no-mail": Exposure.CLOSED}


def part(name: str, story: str, language: str) -> Part:
    made = part_of(name, story, language)
    assert made is not None
    return made


def told(name: str, story: str, language: str) -> str:
    return "\n".join(lines(part(name, story, language)))


def tables(blocks: tuple[Block, ...]) -> list[Table]:
    return [block for block in blocks_in(blocks) if isinstance(block, Table)]


@pytest.mark.parametrize("story", STORIES)
def test_each_state_has_its_word(story: str) -> None:
    assert judge_exposure(document(story)) is EXPOSURES[story]


@pytest.mark.parametrize(
    ("domain", "below", "invented", "exposure"),
    [
        ("no", "unknown", "no", Exposure.CLOSED),
        ("no", "no", "yes", Exposure.BELOW),
        ("partly", "yes", "yes", Exposure.BELOW),
        ("partly", "partly", "partly", Exposure.JUNK),
        ("unknown", "no", "no", Exposure.UNKNOWN),
        ("yes", "no", "no", Exposure.OPEN),
    ],
)
def test_the_worst_that_was_seen_counts(domain: str, below: str, invented: str, exposure: Exposure) -> None:
    spoofable = {"domain": domain, "subdomain": below, "nonexistent_subdomain": invented}
    assert judge_exposure({"findings": [], "spoofable": spoofable}) is exposure


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["training", "booklet"])
@pytest.mark.parametrize("story", STORIES)
def test_only_what_was_seen_closed_is_shown_as_good(story: str, name: str, language: str) -> None:
    callouts = [block for block in blocks_in(part(name, story, language).blocks) if isinstance(block, Callout)]
    good = any(callout.tone is Tone.GOOD for callout in callouts)
    assert good == (EXPOSURES[story] is Exposure.CLOSED)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_hand_out_says_whether_fakes_arrive(language: str) -> None:
    says = CAN_ARRIVE[language]
    arrive = {story for story in STORIES if says in plain(_state(part("training", story, language)))}
    assert {"open", "below"} <= arrive
    assert not arrive & {"closed", "junk", "no-mail"}


def _state(made: Part) -> Rich:
    callout = next(block for block in blocks_in(made.blocks) if isinstance(block, Callout))
    return tuple(span for block in callout.blocks for span in getattr(block, "text", ()))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("name", ["training", "booklet"])
def test_limits_are_told_whatever_the_state(name: str, story: str, language: str) -> None:
    words = {
        "ja": ("名前だけ", "よく似た", "乗っ取", "DMARCに対応した"),
        "en": ("only our name", "address like ours", "taken over", "that honour"),
    }
    text = told(name, story, language)
    expected = words[language] if story in ("junk", "closed") else words[language][:3]
    assert [word for word in expected if word not in text] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_answers_stand_on_another_page_than_the_questions(language: str) -> None:
    blocks = part("training", "open", language).blocks
    anchors = {block.anchor: index for index, block in enumerate(blocks) if isinstance(block, Heading)}
    between = blocks[anchors["training-quiz"] : anchors["training-answers"]]
    assert any(isinstance(block, PageBreak) for block in between)
    questions = next(block for block in between if isinstance(block, Table))
    assert all(row[2] == () for row in questions.rows), "nothing is filled in yet"


def test_the_quiz_cannot_be_answered_with_one_mark() -> None:
    assert len(QUIZ) == 7
    assert min(list(QUIZ.values()).count(mark) for mark in ("○", "×")) >= 3


def test_the_quiz_asks_about_the_audited_domain() -> None:
    whys = {story: told("training", story, "ja").split("講師の紙")[1].split("院長への報告")[0] for story in STORIES}
    assert whys["open"] != whys["closed"] != whys["shared"] != whys["unknown"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_attendance_has_fields_for_day_trainer_and_names(language: str) -> None:
    blocks = part("training", "open", language).blocks
    form = [block for block in blocks_in(blocks) if isinstance(block, Form)]
    labels = {plain(blank.label) for block in form for blank in block.blanks if not blank.value}
    assert {"ja": {"研修の日", "講師"}, "en": {"Date", "Trainer"}}[language] <= labels
    sheet = [table for table in tables(blocks) if table.form and len(table.head) == 5]
    assert [len(table.rows) >= 12 for table in sheet] == [True]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sheet_has_its_three_times_its_evidence_and_its_commands(language: str) -> None:
    cards = {card.anchor: card for card in part("incident", "open", language).blocks if isinstance(card, Card)}
    times = {"ja": ["最初の30分", "24時間以内", "1週間以内"], "en": ["The first 30 minutes", "Within 24 hours"]}
    for sheet in SHEETS:
        card = cards[f"incident-{sheet}"]
        headings = [plain(block.text) for block in card.blocks if isinstance(block, Heading)]
        assert headings[: len(times[language])] == times[language]
        assert len(headings) == 5
        (commands,) = (block for block in card.blocks if isinstance(block, Verbatim))
        assert all(line.startswith("mailguard ") for line in commands.text.splitlines())
        assert card.page


@pytest.mark.parametrize("language", LANGUAGES)
def test_telephone_numbers_are_blank_fields(language: str) -> None:
    cards = (card for card in part("incident", "open", language).blocks if isinstance(card, Card))
    contacts = next(card for card in cards if card.anchor == "incident-contacts")
    (table,) = tables(contacts.blocks)
    assert table.form
    assert {"ja": "要確認", "en": "to be confirmed"}[language] in plain(table.head[3])
    assert all(row[3] == () for row in table.rows)


def test_the_order_is_the_notices() -> None:
    names = [plain(row[1]) for table in tables(part("incident", "open", "ja").blocks) for row in table.rows]
    order = [next(i for i, name in enumerate(names) if word in name) for word in ("保守会社", "厚生労働省", "警察署")]
    assert order == sorted(order)


def test_companies_seen_in_dns_are_named() -> None:
    zone = """
        clinic.example.jp  MX   10 aspmx.l.google.com
        clinic.example.jp  TXT  "v=spf1 include:_spf.google.com ~all"
    """
    case = case_of(document_of(zone))
    assert "Google" in "\n".join(lines(incident.make(case, Texts("ja"))))


@pytest.mark.parametrize("language", LANGUAGES)
def test_notices_are_there_in_both_languages(language: str) -> None:
    cards = {card.anchor: card for card in part("incident", "open", language).blocks if isinstance(card, Card)}
    for notice in NOTICES:
        ours, english = (cards[f"incident-{notice}-{other}"].blocks[0] for other in LANGUAGES)
        assert isinstance(ours, Verbatim)
        assert isinstance(english, Verbatim)
        assert ("当院" in ours.text, "当院" in english.text) == (True, False)
        assert max(map(len, ours.text.splitlines())) <= 45, "fits the width of a page"
    assert next(anchor for anchor in cards if anchor.endswith(("-ja", "-en"))).endswith(f"-{language}"), "own first"


def test_a_domain_without_mail_is_not_told_as_our_address() -> None:
    cards = [block for block in part("incident", "no-mail", "ja").blocks if isinstance(block, Card)]
    notices = [card for card in cards if card.anchor.endswith(("-ja", "-en"))]
    texts = [block.text for card in notices for block in card.blocks if isinstance(block, Verbatim)]
    assert not [text for text in texts if "clinic.example.jp" in text]
    assert "メールを送らない" in told("training", "no-mail", "ja")


def test_a_strangers_name_is_shown_and_not_obeyed() -> None:
    hostile = dict(document("open"), domain_unicode="evil\u202e<script>`{x}`.example")
    case = Case(document=hostile, made_at=case_of(hostile).made_at)
    for make in (training.make, incident.make):
        text = "\n".join(lines(make(case, Texts("ja"))))
        assert "\u202e" not in text
        assert r"\u{202e}" in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("name", ["training", "incident", "booklet", "glossary"])
def test_no_markup_is_left_in_our_words(name: str, story: str, language: str) -> None:
    spans = spans_in(part(name, story, language).blocks)
    assert [span for span in spans if re.search(r"`|\*\*|[{}]", span.text)] == []


@pytest.mark.parametrize("name", ["training", "incident", "booklet"])
def test_they_are_for_staff_and_not_for_vendors(name: str) -> None:
    readers = part(name, "open", "ja").readers
    assert {Reader.STAFF, Reader.VENDOR} & readers == {Reader.STAFF}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_booklet_ends_with_whom_to_ask(language: str) -> None:
    blocks = part("booklet", "open", language).blocks
    assert sum(isinstance(block, PageBreak) for block in blocks) == 7, "eight pages"
    last = [plain(block.text) for block in blocks if isinstance(block, Heading) and block.level == 1][-1]
    assert last == {"ja": "だれに何を聞けばよいか", "en": "Whom to ask for what"}[language]
    closing = blocks[-1]
    assert isinstance(closing, Callout)
    assert isinstance(closing.blocks[0], Form)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_booklet_says_that_no_text_we_read_names_dmarc(language: str) -> None:
    text = told("booklet", "open", language)
    assert {"ja": "DMARCの名前は出てきません", "en": "names DMARC"}[language] in text
