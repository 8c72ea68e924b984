"""The table of clauses says what was read, where and when, and never that a clause asks for DMARC."""

from __future__ import annotations

import re
from datetime import date

import pytest

from mailguard.guidebook.blocks import Kind, Reader, Table, plain
from mailguard.guidebook.book import PARTS, make_book
from mailguard.guidebook.clauses import Clause, load_guideline, parse_guideline
from mailguard.providers import Text
from mailguard.render.document import Document
from mailguard.resources import policies
from tests.guidebook.cases import blocks_in, case_of, spans_in
from tests.guidebook.vendors import assert_golden, moved, part_of, story, text_of
from tests.render.documents import all_documents
from tests.render.test_golden import documents

LANGUAGES = ("ja", "en")
TEXT = (policies() / "guide" / "guideline.toml").read_text("utf-8")
ENTRIES = (*load_guideline().clauses.values(), *load_guideline().items.values())


def words_of(clause: Clause) -> tuple[Text, ...]:
    return clause.title, clause.asks, clause.helps, clause.volume


def rows(document: Document, language: str = "ja") -> list[tuple[str, ...]]:
    part = part_of("clauses", document, language)
    assert part is not None
    tables = [block for block in blocks_in(part.blocks) if isinstance(block, Table)]
    return [tuple(map(plain, row)) for table in tables for row in table.rows]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_table_is_what_was_reviewed(language: str) -> None:
    assert_golden(f"clauses-moved.{language}", text_of(part_of("clauses", story("moved"), language)))


def test_what_clauses_ask_for_names_no_protocol_of_ours() -> None:
    for clause in ENTRIES:
        for words in (clause.title, clause.asks):
            assert not re.search(r"SPF|DKIM|DMARC|送信ドメイン認証|sender authentication", words.ja + words.en), (
                clause.id
            )


def test_every_clause_is_whole_and_in_both_languages() -> None:
    for clause in ENTRIES:
        assert all(bool(words.ja) == bool(words.en) for words in words_of(clause)), clause.id
        assert clause.number or clause.title.ja, clause.id
    for clause in load_guideline().clauses.values():
        assert clause.number, clause.id
        assert all((*clause.volume, *clause.asks)), clause.id


def test_every_clause_was_read_in_a_copy_and_every_source_is_used() -> None:
    guideline = load_guideline()
    for clause in guideline.clauses.values():
        assert {guideline.sources[source].standing for source in clause.sources} == {"V"}, clause.id
    assert {source for clause in ENTRIES for source in clause.sources} == set(guideline.sources)
    for source in guideline.sources.values():
        assert source.url.startswith("https://")
        assert date(2026, 1, 1) <= source.read_on <= date(2030, 1, 1)


REMARKS = {
    "ja": {"（案の段階の文で確認）", "（ほかの人の解説で確認）", "（案についての、ほかの人の解説で確認）"},
    "en": {" (read in a draft)", " (as an account has it)", " (as an account of a draft has it)"},
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_not_read_in_the_text_itself_says_where_it_was_read(language: str) -> None:
    guideline, told = load_guideline(), {row[0] for row in rows(moved(), language)}
    seen = set()
    for clause in ENTRIES:
        (name,) = (one for one in told if (clause.title.of(language) or clause.name(language)) in one)
        remarks = {remark for remark in REMARKS[language] if remark in name}
        standings = {guideline.sources[source].standing for source in clause.sources}
        assert bool(remarks) == (standings == {"S"} or "draft" in clause.read_in), clause.id
        assert ("account" in clause.read_in) == (standings == {"S"}), clause.id
        seen |= remarks
    assert seen == REMARKS[language]


def test_parts_that_help_are_parts_of_the_guide() -> None:
    assert {part for clause in ENTRIES for part in clause.parts} <= set(PARTS)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["perfect", "moved", "parked", "unanswered", "broken"])
def test_it_points_only_to_what_this_guide_holds(name: str, language: str) -> None:
    book = make_book(case_of(story(name)), language)
    anchors = {part.id for part in book.parts}
    part = next(part for part in book.parts if part.id == "clauses")
    targets = {span.target.removeprefix("#") for span in spans_in(part.blocks) if span.kind is Kind.LINK}
    assert {target for target in targets if target in PARTS} <= anchors
    if name == "perfect":
        assert "letters" not in targets


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_says_plainly_what_the_texts_do_not_say(language: str) -> None:
    said = {
        "ja": ("SPF、DKIM、DMARCの名前は出てきませんでした", "直接の義務づけではありません", "より新しい版がないか"),
        "en": ("names SPF, DKIM or DMARC", "none of these settings is a direct duty", "no newer one"),
    }[language]
    for document in all_documents().values():
        text = text_of(part_of("clauses", document, language))
        assert [words for words in said if words not in text] == []
        break
    text = text_of(part_of("clauses", moved(), language))
    edition = load_guideline().edition
    assert edition.version.of(language) in text
    assert {"ja": "2026年11月22日", "en": "22 November 2026"}[language] in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_says_that_dmarc_is_asked_for(language: str) -> None:
    wrong = {
        "ja": r"DMARC[^。]*(義務です|必須|求めて)|(ガイドライン|条項|国)[^。]*DMARC[^。]*求め",
        "en": r"(requires|demands|mandat\w+)[^.]*DMARC|DMARC[^.]*(is|are) (required|mandatory)",
    }[language]
    text = text_of(part_of("clauses", moved(), language))
    assert not re.search(wrong, text)


def test_findings_stand_beside_the_clauses_that_they_are_near_to() -> None:
    near = {row[0].split("　")[0]: row[3] for row in rows(moved()) if len(row) == 4}
    rules = {one["rule"] for one in moved()["findings"]}
    spf = next(rule for rule in rules if rule.startswith("SPF"))
    assert spf in near["システム運用編13"]
    assert near["経営管理編3.3.2"] == "－"
    clean = {row[0].split("　")[0]: row[3] for row in rows(documents()["perfect"]) if len(row) == 4}
    assert set(clean.values()) == {"－"}


def test_it_is_for_it() -> None:
    part = part_of("clauses", moved())
    assert part is not None
    assert part.readers == {Reader.IT}


def test_no_document_of_the_suite_makes_it_fail() -> None:
    for document in all_documents().values():
        assert part_of("clauses", document, "en") is not None


def test_a_broken_file_is_refused() -> None:
    for broken in (
        TEXT.replace('standing = "V"', 'standing = "R"', 1),  # what is only recalled is no source
        TEXT.replace('sources = ["governance"]', "sources = []"),
        TEXT.replace('sources = ["governance"]', 'sources = ["no-such"]'),
        TEXT.replace('id = "control-18"', 'id = "control-13"'),
        TEXT.replace("read_on = 2026-11-22", 'read_on = "today"', 1),
    ):
        assert broken != TEXT
        with pytest.raises(ValueError, match="guideline"):
            parse_guideline(broken)
