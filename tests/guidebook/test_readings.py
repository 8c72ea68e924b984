"""Readings stand over the right words, and every word that beginners, directors and staff read has one."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.guidebook.blocks import Kind, Reader
from mailguard.guidebook.glossary import load_glossary
from mailguard.guidebook.readings import KANJI, align, load_readings, parse_readings, ruby
from mailguard.resources import policies
from tests.guidebook.cases import spans_in
from tests.guidebook.people import STORIES, japanese, parts_for

OURS = (Kind.TEXT, Kind.STRONG, Kind.LINK)
COUNTERS = frozenset("分日人月")


def read(text: str) -> str:
    """A text as it is read aloud: readings in the place of their words."""
    return "".join(reading or word for word, reading in ruby(text))


@pytest.mark.parametrize(
    ("text", "aloud"),
    [
        ("当院の使い方", "とういんのつかいかた"),
        ("経理の方に聞きます", "けいりのかたにききます"),
        ("今日中に行う", "きょうじゅうにおこなう"),
        ("定期に行うよう", "ていきにおこなうよう"),
        ("見に行ける", "みにいける"),
        ("検査に通ってきた", "けんさにとおってきた"),
        ("最初の30分", "さいしょの30ぷん"),
        ("15分の研修", "15ふんのけんしゅう"),
        ("3分の2近く", "3ぶんの2ちかく"),
        ("分からないとき", "わからないとき"),
        ("1人ほど", "ひとりほど"),
        ("管理会社に頼む", "かんりがいしゃにたのむ"),
        ("その後ろに", "そのうしろに"),
        ("第6.0版", "だい6.0はん"),
        ("2023年4月1日から", "2023ねんしがつついたちから"),
        ("1月16日の時点", "1がつ16にちのじてん"),
        ("22日と2日", "22にちとふつか"),
        ("午前9時から24時間", "ごぜん9じから24じかん"),
        ("だれが何をするか、何と答えたか", "だれがなにをするか、なんとこたえたか"),
        ("中身が空の記録", "なかみがからのきろく"),
        ("お願いの札", "おねがいのふだ"),
        ("名を名乗る", "なをなのる"),
        ("表示名とドメイン名", "ひょうじめいとドメインめい"),
        ("送信済みの記録", "そうしんずみのきろく"),
    ],
)
def test_words_are_read_as_their_neighbours_ask(text: str, aloud: str) -> None:
    assert read(text) == aloud


def test_readings_stand_over_the_kanji_alone() -> None:
    assert align("引き継ぎ", "ひきつぎ") == (("引", "ひ"), ("き", ""), ("継", "つ"), ("ぎ", ""))
    assert ruby("送る") == (("送", "おく"), ("る", ""))
    assert ruby("SPF") == (("SPF", ""),)
    assert ruby("") == ()


def test_what_is_not_in_the_dictionary_is_not_guessed() -> None:
    assert ruby("鬱々") == (("鬱々", ""),)


def test_a_counter_after_a_value_of_another_span_is_left_alone() -> None:
    assert ruby("分ほどです")[0][1] == ""
    assert ruby("日本語")[0] == ("日本語", "にほんご")


@given(st.text(st.sampled_from("当院送信る1月2日分から「。』aé々𠮷\n"), max_size=30))
def test_no_character_is_lost(text: str) -> None:
    assert "".join(word for word, _ in ruby(text)) == text


def test_every_line_of_the_dictionary_fits_its_word() -> None:
    for words in load_readings().by_first.values():
        for word, reading in words:
            assert "".join(stretch for stretch, _ in align(word, reading)) == word


def test_the_dictionary_is_in_order() -> None:
    lines = [
        line
        for line in (policies() / "guide" / "readings.txt").read_text("utf-8").splitlines()
        if not line.startswith("#")
    ]
    assert lines == sorted(lines)


@pytest.mark.parametrize("line", ["送信", "送信 そうしん x"])
def test_a_broken_line_is_named(line: str) -> None:
    with pytest.raises(ValueError, match="line 2"):
        parse_readings(f"# head\n{line}\n")


def test_a_word_that_stands_twice_is_named() -> None:
    with pytest.raises(ValueError, match="送る stands twice"):
        parse_readings("送・らる おく\n送る おくる\n")


def test_a_reading_that_does_not_fit_in_one_way_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        align("送る", "おくり")
    with pytest.raises(ValueError, match="in one way"):
        align("母は歯", "ははははは")


def unread(texts: Iterable[str]) -> set[str]:
    """Runs of kanji that would be printed without a reading. A counter at the beginning may follow a value."""
    return {
        match[0]
        for text in texts
        for stretch, reading in ruby(text)
        if not reading
        for match in KANJI.finditer(stretch)
        if not (text.startswith(match[0]) and match[0] in COUNTERS)
    }


@pytest.mark.parametrize("place", sorted(japanese()))
def test_every_word_of_the_guide_has_its_reading(place: str) -> None:
    """Whoever writes a new word adds a line to policies/guide/readings.txt."""
    assert unread(japanese()[place]) == set()


@pytest.mark.parametrize("story", STORIES)
def test_what_is_printed_for_beginners_directors_and_staff_has_its_readings(story: str) -> None:
    for part in parts_for({Reader.DIRECTOR, Reader.STAFF}, story, "ja"):
        spans = (*part.title, *spans_in(part.blocks))
        assert (part.id, unread(span.text for span in spans if span.kind in OURS)) == (part.id, set())


def test_the_glossary_reads_its_words_as_the_dictionary_does() -> None:
    differ = {
        term.name.ja: (term.reading, read(term.name.ja))
        for group in load_glossary()
        for term in group.terms
        if not any(char.isascii() for char in term.name.ja) and read(term.name.ja) != term.reading
    }
    assert differ == {}
