"""What directors and staff read is short to read, and the measure cannot be flattered."""

from __future__ import annotations

from importlib import import_module

import pytest

from mailguard.guidebook.blocks import (
    Blank,
    Bullets,
    Form,
    Heading,
    Labelled,
    Paragraph,
    Part,
    Record,
    Rich,
    Span,
    Table,
    Verbatim,
    code,
)
from mailguard.guidebook.measure import LIMITS, length, measure, sentences
from mailguard.guidebook.texts import Texts
from tests.guidebook.cases import case_of
from tests.guidebook.people import STORIES, part_of
from tests.guidebook.test_monitoring import ASKING, SEEN, ZONE
from tests.render.documents import document_of

READ_BY_EVERYBODY = ("director", "todo", "incident", "training", "booklet", "glossary")
LONGEST = {"ja": 90, "en": 35}
"""No single sentence is longer, whatever the average."""


def text(words: str) -> Rich:
    return (Span(words),)


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("name", READ_BY_EVERYBODY)
def test_sentences_are_short(name: str, story: str, language: str) -> None:
    part = part_of(name, story, language)
    assert part is not None
    found = measure(part, language)
    assert len(found.sentences) >= 5, "there is something to measure"
    assert found.average <= LIMITS[language]
    assert [one for one in found.sentences if length(one, language) > LONGEST[language]] == []


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("name", ["checksheet", "monitoring", "difference"])
def test_sentences_about_time_are_short(name: str, language: str) -> None:
    """Parts that need reports, or an audit before this one."""
    case = case_of(document_of(ASKING), traffic=SEEN, previous=document_of(ZONE))
    part = import_module(f"mailguard.guidebook.parts.{name}").make(case, Texts(language))
    found = measure(part, language)
    assert len(found.sentences) >= 3, "there is something to measure"
    assert found.average <= LIMITS[language]
    assert [one for one in found.sentences if length(one, language) > LONGEST[language]] == []


def test_a_japanese_sentence_ends_at_its_full_stop() -> None:
    rich = text("止めません。様子を見ます！　よろしいですか？見出し")
    assert sentences(rich, "ja") == ("止めません。", "様子を見ます！", "よろしいですか？")


def test_an_english_sentence_does_not_end_within_a_name_or_a_number() -> None:
    rich = text("Version 6.0 is at example.jp. Ask (in time.) A label")
    assert sentences(rich, "en") == ("Version 6.0 is at example.jp.", "Ask (in time.")
    assert length("Version 6.0 is at example.jp.", "en") == 5


def test_a_name_in_monospace_counts_once() -> None:
    name = code("_dmarc.a-very-long-name-of-a-clinic.example.jp")
    assert sentences((name, Span("を見ます。")), "ja") == ("■を見ます。",)
    assert length(sentences((Span("Look at "), name, Span(".")), "en")[0], "en") == 3


def test_marks_of_sources_are_not_read() -> None:
    assert sentences(text("求めています。[1, 2] 終わりです。[3]"), "ja") == ("求めています。", "終わりです。")


def test_headings_records_and_forms_do_not_flatter_the_average() -> None:
    long = "あ" * 99 + "。"
    blocks = (
        Heading(text("短い")),
        Paragraph(text(long)),
        Bullets(((Paragraph(text("短い")),),)),
        Form((Blank(text("名前。")),)),
        Verbatim("はい。はい。"),
        Record("x", "TXT", text("場所。"), None, Labelled(text("後。"), ("v=spf1",))),
        Table((text("行"),), ((text("は。"),),), form=True),
    )
    found = measure(Part("x", text("題"), blocks), "ja")
    assert (len(found.sentences), found.average) == (1, 100)


def test_cells_of_a_table_are_read() -> None:
    table = Table((text("頭。"),), ((text("一つ。二つ。"),),))
    assert len(measure(Part("x", text("題"), (table,)), "ja").sentences) == 3


def test_a_part_without_sentences_has_no_average() -> None:
    assert measure(Part("x", text("題"), ()), "ja").average == 0
