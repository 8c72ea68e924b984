"""The parts of a guide, told in both languages."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from mailguard.evidence import Evidence
from mailguard.guidebook.blocks import Callout, Card, Kind, Part, Reader, Record, Table, Tone, plain
from mailguard.guidebook.parts import difference, director, evidence, findings, todo
from mailguard.guidebook.texts import Texts
from mailguard.inquiry import Question, RRType
from mailguard.names import name
from mailguard.render.document import Document
from mailguard.traffic import SourceClass
from tests.guidebook.cases import blocks_in, case_of, lines, source, spans_in, traffic
from tests.render.documents import AS_OF, all_documents, document_of
from tests.render.test_golden import DOMAIN, WATCHING, documents
from tests.zones import Zone

GOLDEN = Path(__file__).parent / "golden"
RENEW = bool(os.environ.get("RENEW_GOLDEN"))
LANGUAGES = ("ja", "en")
REPORTED = traffic(
    source("192.0.2.10", 900, 900, SourceClass.ALIGNED, spf=900),
    source("192.0.2.20", 80, 0, SourceClass.LISTED),
    source("203.0.113.9", 20, 0, SourceClass.UNKNOWN),
)


def parts(document: Document, language: str, **more: Any) -> dict[str, Part]:
    texts, case = Texts(language), case_of(document, **more)
    made = [part.make(case, texts) for part in (director, todo, findings, evidence, difference)]
    return {part.id: part for part in made if part is not None}


def titles(part: Part) -> list[str]:
    return [plain(block.title) for block in blocks_in(part.blocks) if isinstance(block, Callout | Card)]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("story", ["perfect", "watching", "parked", "broken", "unanswered"])
def test_what_is_told_is_what_was_reviewed(story: str, language: str) -> None:
    made = parts(documents()[story], language)
    text = "\n\n".join("\n".join(lines(made[part])) for part in ("director", "todo", "evidence")) + "\n"
    path = GOLDEN / f"{story}.{language}.txt"
    if RENEW:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8"), "if this is meant: RENEW_GOLDEN=1, and read the difference as prose"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_finding_of_the_suite_has_one_card_and_leads_to_one_task(language: str) -> None:
    before: Document | None = None
    for document in all_documents().values():
        made = parts(document, language, previous=before, traffic=REPORTED)
        cards = [block for block in blocks_in(made["findings"].blocks) if isinstance(block, Card) and block.page]
        wanted = list(dict.fromkeys(f"finding-{one['rule']}" for one in document["findings"]))
        assert [card.anchor for card in cards] == wanted
        targets = {span.target for part in made.values() for span in spans_in(part.blocks) if span.kind is Kind.LINK}
        cards = [block for part in made.values() for block in blocks_in(part.blocks) if isinstance(block, Card)]
        anchors = {f"#{card.anchor}" for card in cards}
        assert {target for target in targets if target.startswith("#")} <= anchors
        before = document


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_directors_page_is_short_and_never_prints_a_placeholder(language: str) -> None:
    for document in all_documents().values():
        page = director.make(case_of(document, traffic=REPORTED), Texts(language))
        text = "\n".join(lines(page))
        assert page.one_page
        assert len(text) < (900 if language == "ja" else 1900)
        assert not re.search(r"\{[a-z]|Span\(|None", text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_for_directors_are_short(language: str) -> None:
    sentences: set[str] = set()
    for document in all_documents().values():
        for part in ("director", "todo"):
            for line in lines(parts(document, language)[part]):
                sentences.update(re.split(r"(?<=。)" if language == "ja" else r"(?<=\.) ", line))
    whole = [one for one in sentences if one.endswith("。" if language == "ja" else ".")]
    length = [len(one) if language == "ja" else len(one.split()) for one in whole]
    assert len(whole) > 30
    assert sum(length) / len(length) <= (60 if language == "ja" else 20)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_strangers_wrote_is_never_our_words(language: str) -> None:
    nasty = "include:<script>\u202eevil.example.net"
    document = document_of(
        f'clinic.example TXT "v=spf1 {nasty} ~all"\nclinic.example MX 10 x.clinic.example', "clinic.example"
    )
    for part in parts(document, language, previous=document, traffic=REPORTED).values():
        for span in spans_in(part.blocks):
            assert "\u202e" not in span.text
            if span.kind not in (Kind.FACT, Kind.CODE):
                assert "script" not in span.text


def test_a_record_is_shown_before_and_after_with_a_code_to_scan() -> None:
    document = documents()["watching"]
    shown = [block for block in blocks_in(parts(document, "ja")["findings"].blocks) if isinstance(block, Record)]
    finding = next(one for one in document["findings"] if one["fix"])
    record = finding["fix"]["records"][0]
    assert shown[0].name == record["name"]
    assert shown[0].before is not None
    assert (shown[0].before.lines, shown[0].after.lines) == (tuple(record["before"]), tuple(record["after"]))
    assert shown[0].qr == record["after"][0]


def test_a_long_record_is_shown_cut_too() -> None:
    record = {"name": "x.example", "type": "TXT", "before": [], "after": ["a" * 300], "split": [["a" * 255, "a" * 45]]}
    document = documents()["watching"]
    finding = next(one for one in document["findings"] if one["fix"])
    changed = {**finding, "fix": {**finding["fix"], "records": [record]}}
    made = parts({**document, "findings": [changed]}, "en")["findings"]
    (shown,) = [block for block in blocks_in(made.blocks) if isinstance(block, Record)]
    assert shown.split is not None
    assert shown.split.lines == (f'"{"a" * 255}"', f'"{"a" * 45}"')


def test_without_reports_no_tightening_is_called_safe() -> None:
    zone = WATCHING.replace("p=none", "p=none; rua=mailto:dmarc@clinic.example")
    document = document_of(zone, DOMAIN, selectors=("s1",))
    for language in LANGUAGES:
        words = Texts(language)
        silent, told = (parts(document, language, traffic=seen)["findings"] for seen in (None, REPORTED))
        unknown = [
            block for block in blocks_in(silent.blocks) if isinstance(block, Callout) and block.tone is Tone.UNKNOWN
        ]
        assert [plain(block.title) for block in unknown] == [words.plain("findings.preview")]
        assert words.plain("findings.preview.no-reports") in "\n".join(lines(silent))
        assert words.plain("findings.preview.limits") in "\n".join(lines(told))


def test_what_was_put_off_is_marked() -> None:
    document = documents()["watching"]
    waived = {"reason": "moving in spring", "until": "2027-03-31", "expired": False}
    put_off = {**document, "findings": [{**one, "waived": waived} for one in document["findings"]]}
    text = "\n".join(lines(parts(put_off, "en")["findings"]))
    assert "It was decided to live with this until 31 March 2027. Reason: moving in spring" in text


def test_alternatives_are_named_as_alternatives() -> None:
    document = next(one for one in all_documents().values() if _writes_one_record_twice(one["findings"]))
    assert Texts("ja").plain("findings.alternatives") in titles(parts(document, "ja")["findings"])


def _writes_one_record_twice(found: list[Document]) -> bool:
    fixes = {repr(one["fix"]): one["fix"] for one in found if one["fix"] and not one["waived"]}
    places = [(record["name"], record["type"]) for fix in fixes.values() for record in fix["records"]]
    return len(set(places)) < len(places)


def test_records_that_do_not_count_are_not_told_as_absent() -> None:
    """Two SPF records: receivers use neither, and still they are there."""
    document = documents()["broken"]
    assert document["spf"] == {**document["spf"], "status": "permerror", "record": None}
    for language in LANGUAGES:
        told, words = parts(document, language, previous=documents()["watching"]), Texts(language)
        assert words.plain("evidence.none-counts") in "\n".join(lines(told["evidence"]))
        assert words.plain("difference.now-unclear") in "\n".join(lines(told["difference"]))


def test_evidence_never_takes_silence_for_absence() -> None:
    document = documents()["unanswered"]
    for language in LANGUAGES:
        text = "\n".join(lines(parts(document, language)["evidence"]))
        assert Texts(language).plain("evidence.unanswered.text") in text
        assert all(row["name"] in text for row in document["unanswered"])


def test_answers_are_shown_up_to_a_bound_and_the_rest_is_counted() -> None:
    many = 75
    world = Zone.parse("\n".join(f'n{number}.clinic.example TXT "value {number}"' for number in range(many)))
    asked = (Question(name(f"n{number}.clinic.example"), RRType.TXT) for number in range(many))
    seen = Evidence(name(DOMAIN), AS_OF, "x", answers=tuple(map(world, asked)))
    text = "\n".join(lines(parts(documents()["perfect"], "en", evidence=seen)["evidence"]))
    assert "n59.clinic.example TXT | value 59" in text
    assert "n60.clinic.example" not in text
    assert Texts("en").plain("evidence.rest", count=many - evidence.MAX_ANSWERS) in text


def test_the_difference_is_told_only_where_there_is_something_to_compare() -> None:
    document, other = documents()["watching"], {**documents()["perfect"], "domain": "other.example"}
    assert "difference" not in parts(document, "ja")
    assert "difference" not in parts(document, "ja", previous=other)
    made = parts(documents()["perfect"], "en", previous=document)["difference"]
    assert made.readers == {Reader.DIRECTOR, Reader.IT}
    assert "○ Solved" in "\n".join(lines(made))


@pytest.mark.parametrize(("language", "reported"), [("ja", "と解説されています）"), ("en", "(said to be ")])
def test_what_a_receiver_asks_is_told_as_reported_where_its_own_text_was_not_read(language: str, reported: str) -> None:
    document = document_of(WATCHING, DOMAIN, policies=("hospital", "gmail", "kddi"))
    part = parts(document, language)["findings"]
    (card,) = (one for one in blocks_in(part.blocks) if isinstance(one, Card) and one.anchor == "programmes")
    (table,) = (one for one in card.blocks if isinstance(one, Table))
    told = {(plain(name), reported in plain(requirement)) for name, requirement, *_ in table.rows}
    assert told == {("Gmail", False), ("KDDI (au)", True)}
    assert {row["strength"] for row in document["programmes"] if row["evidence"] == "S"} == {"required", "advised"}


def test_nobody_is_told_to_settle_a_record_where_there_is_only_something_to_look_at() -> None:
    for document in all_documents().values():
        looks = [one for one in document["findings"] if one["rule"] in ("DKIM030", "DMARC058") and one["fix"] is None]
        part = findings.make(case_of({**document, "findings": looks}), Texts("en"))
        assert not [line for line in lines(part) if "What to enter cannot be known" in line]
