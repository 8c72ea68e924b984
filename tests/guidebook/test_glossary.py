"""Every technical term is explained where it is first used, or in the glossary that belongs to the same guide."""

from __future__ import annotations

import re

import pytest

from mailguard.guidebook.blocks import Kind, Paragraph, Part, Reader, Rich, Span, Table, code, plain
from mailguard.guidebook.glossary import Term, first_uses, is_explained, load_glossary, parse_glossary, prose
from mailguard.guidebook.measure import runs
from tests.guidebook.books import book
from tests.guidebook.people import STORIES, part_of, parts_for

TERMS = tuple(term for group in load_glossary() for term in group.terms)
PEOPLE = {Reader.DIRECTOR, Reader.STAFF}

NOT_JARGON = {
    *("PDF", "QR", "FAX", "LINE", "OK", "RFC", "JST", "UTC", "NTT", "DOCOMO", "MG", "ISAC", "MIST", "WAM", "NET"),
    *("BUSINESS", "LAWYERS", "IT", "TV", "NOTICE", "AND", "APOLOGY", "ID", "USB"),
}
"""Everyday words and names in capitals; whatever else has two capitals must stand in the glossary."""


def term(word: str) -> Term:
    return next(one for one in TERMS if one.id == word)


def says(words: str) -> Part:
    return Part("training", (Span("題"),), (Paragraph((Span(words),)),))


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_word_is_whole(language: str) -> None:
    for one in TERMS:
        assert all((*one.name, *one.says, one.reading)), one.id
        assert one.says.of(language).endswith("。" if language == "ja" else "."), one.id
        assert re.fullmatch(r"[ぁ-ゖァ-ヺー（）／]+", one.reading), one.id


@pytest.mark.parametrize("language", ["ja", "en"])
def test_no_word_is_written_like_another(language: str) -> None:
    forms = [form.casefold() for one in TERMS for form in {form.casefold() for form in one.forms(language)}]
    assert sorted(forms) == sorted(set(forms))


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("story", STORIES)
def test_whoever_reads_a_term_has_its_explanation(story: str, language: str) -> None:
    parts = tuple(parts_for(PEOPLE, story, language))
    (glossary,) = (part for part in parts if part.id == "glossary")
    rows = [plain(row[0]) for table in glossary.blocks if isinstance(table, Table) for row in table.rows]
    uses = first_uses(book(*parts, language=language), TERMS)
    assert uses
    named = [use for use in uses if any(row.startswith(use.term.name.of(language)) for row in rows)]
    assert [use for use in uses if not use.explained and use not in named] == []


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("story", STORIES)
def test_no_jargon_is_missing_from_the_glossary(story: str, language: str) -> None:
    known = {word for one in TERMS for form in one.forms(language) for word in re.findall(r"[A-Za-z-]+", form)}
    found = {
        word
        for part in parts_for(PEOPLE, story, language)
        for rich in (part.title, *runs(part.blocks))
        for word in re.findall(r"(?<![A-Za-z])[A-Z][A-Za-z]*[A-Z][A-Za-z-]*", _own(rich))
    }
    assert {word for word in found if word not in NOT_JARGON and word not in known} == set()


def _own(rich: Rich) -> str:
    """Our own words without titles of sources."""
    return prose(tuple(span for span in rich if span.kind is not Kind.LINK))


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_booklet_explains_its_three_tools_on_the_spot(language: str) -> None:
    booklet = part_of("booklet", "open", language)
    assert booklet is not None
    text = " ".join(prose(rich) for rich in runs(booklet.blocks))
    for tool in ("SPF", "DKIM", "DMARC", "DNS"):
        first = text.index(tool)
        around = text[max(0, first - 120) : first + 160]
        assert re.search(r"名簿|印鑑|お願い|台帳|list|seal|request|register", around), (tool, around)


@pytest.mark.parametrize(
    ("text", "explained"),
    [
        ("SPF（送信元の名簿）を直します。", True),
        ("送信元の名簿（SPF）を直します。", True),
        ("SPFは、送信元の名簿です。", True),
        ("SPFを直します。", False),
        ("A list of servers (SPF) is missing.", True),
        ("SPF (a list of servers) is missing.", True),
        ("SPF has to change.", False),
    ],
)
def test_an_explanation_is_seen(text: str, explained: bool) -> None:
    assert is_explained(text, term("spf"), "ja" if text[-1] == "。" else "en") is explained


def test_the_first_use_counts() -> None:
    part = Part("training", (), (Paragraph((Span("SPFを直します。"),)), Paragraph((Span("SPF（名簿）とは。"),))))
    (use,) = (use for use in first_uses(book(part), TERMS) if use.term.id == "spf")
    assert (use.part, use.text, use.explained) == ("training", "SPFを直します。", False)


def test_latin_words_are_found_only_whole() -> None:
    assert [use.term.id for use in first_uses(book(says("IPAとMXスコープZ")), TERMS)] == ["mx"]
    assert [use.term.id for use in first_uses(book(says("spfy"), language="en"), TERMS)] == []


def test_names_in_monospace_are_no_prose() -> None:
    part = Part("training", (), (Paragraph((code("SPF"), Span("を直します。"))),))
    assert first_uses(book(part), TERMS) == ()


def test_the_glossary_need_not_explain_itself() -> None:
    assert first_uses(book(Part("glossary", (), (Paragraph((Span("SPF"),)),))), TERMS) == ()


def test_a_word_that_stands_twice_is_refused() -> None:
    entry = '[[term]]\ngroup = "g"\nid = "x"\nja = "あ"\nreading = "あ"\nen = "a"\nsays = { ja = "あ。", en = "a." }\n'
    group = '[[group]]\nid = "g"\ntitle = { ja = "組", en = "group" }\n'
    assert len(parse_glossary(group + entry)) == 1
    with pytest.raises(ValueError, match="stands twice"):
        parse_glossary(group + entry + entry)
    with pytest.raises(ValueError, match="in no group"):
        parse_glossary(group.replace('"g"', '"h"') + entry)
