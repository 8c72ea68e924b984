"""The page about reports: what came from where, what counts, and what is not told one by one."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest

from mailguard.guidebook.blocks import Chart, Kind, Table, plain
from mailguard.guidebook.book import make_book
from mailguard.guidebook.parts import monitoring
from mailguard.guidebook.parts.monitoring import MOST_SOURCES
from mailguard.guidebook.texts import Texts
from mailguard.render.book.chart import chart_svg
from mailguard.render.book.data import to_data
from mailguard.render.book.html import render_html
from mailguard.render.book.markdown import render_markdown
from mailguard.render.book.text import render_text
from mailguard.render.fitting import fits, load_schema
from mailguard.traffic import Day, Reporter, SourceClass, Traffic
from tests.guidebook.cases import blocks_in, case_of, lines, source, spans_in, traffic
from tests.render.documents import document_of

ZONE = """
clinic.example.jp        MX   10 mx.clinic.example.jp
mx.clinic.example.jp     A    192.0.2.1
clinic.example.jp        TXT  v=spf1 mx ~all
"""
ASKING = ZONE + "_dmarc.clinic.example.jp TXT v=DMARC1; p=none; rua=mailto:dmarc@clinic.example.jp"
SINCE, UNTIL = date(2026, 11, 15), date(2026, 11, 21)
SEEN = Traffic(
    SINCE,
    UNTIL,
    (source("192.0.2.1", 1200, 1200, SourceClass.ALIGNED), source("192.0.2.66", 4, 0, SourceClass.UNKNOWN)),
    tuple(Day(SINCE + timedelta(days=ago), {SourceClass.ALIGNED: 100 * ago} if ago else {}) for ago in range(7)),
    (Reporter("Reporter", "reporter.example", 7, 1204),),
    unverified=3,
)


def told(seen: Traffic | None, language: str = "ja", zone: str = ASKING) -> str:
    return "\n".join(lines(monitoring.make(case_of(document_of(zone), traffic=seen), Texts(language))))


def test_traffic_is_told_by_source_and_by_reporter() -> None:
    text = told(SEEN)
    assert "2026年11月15日から2026年11月21日までに、当院の名前のメール1,204通が報告されました。" in text
    assert "このうち1,200通は、本物と確かめられました。" in text
    words = Texts("ja")
    assert f"192.0.2.1 | 1,200 | 1,200 | 0 | {words.plain('monitoring.class.aligned')}" in text
    assert f"192.0.2.66 | 4 | 0 | 0 | {words.plain('monitoring.class.unknown')}" in text
    assert "Reporter reporter.example | 7 | 1,204" in text


@pytest.mark.parametrize("language", ["ja", "en"])
def test_reports_that_nothing_proves_are_told_and_not_counted(language: str) -> None:
    sentence = Texts(language).plain("monitoring.unverified", count=3)
    assert sentence in told(SEEN, language)
    only_unproved = Traffic(SINCE, UNTIL, (), (), (), unverified=3)
    assert sentence in told(only_unproved, language)


def test_many_sources_are_cut_and_counted() -> None:
    sources = [source(f"192.0.2.{n}", 2, 2, SourceClass.ALIGNED) for n in range(MOST_SOURCES + 10)]
    text = told(traffic(*sources), "en")
    assert "There are 10 more senders with 20 messages together." in text
    assert f"192.0.2.{MOST_SOURCES - 1} |" in text
    assert f"192.0.2.{MOST_SOURCES} |" not in text


@pytest.mark.parametrize("language", ["ja", "en"])
def test_no_reports_yet_is_another_thing_than_nobody_asked_for_them(language: str) -> None:
    words = Texts(language)
    waiting, unasked = words.plain("monitoring.nothing-yet"), words.plain("monitoring.nobody-asked")
    assert waiting in told(None, language)
    assert unasked not in told(None, language)
    assert unasked in told(None, language, ZONE)


@pytest.mark.parametrize("days", [7, 90])
def test_a_chart_and_its_table_say_the_same_however_long_the_window(days: int) -> None:
    by_day = tuple(
        Day(SINCE + timedelta(days=n), {SourceClass.ALIGNED: n, SourceClass.UNKNOWN: 1}) for n in range(days)
    )
    seen = Traffic(SINCE, SINCE + timedelta(days=days - 1), SEEN.sources, by_day, SEEN.reporters)
    part = monitoring.make(case_of(document_of(ASKING), traffic=seen), Texts("en"))
    (chart,) = [block for block in blocks_in(part.blocks) if isinstance(block, Chart)]
    assert sum(value or 0 for series in chart.series for value in series.values) == sum(
        sum(day.messages.values()) for day in by_day
    )
    drawn = list(zip(*(series.values for series in chart.series), strict=True))
    assert [tuple(int(plain(cell).replace(",", "")) for cell in row[1:]) for row in chart.numbers.rows] == drawn


GAPS = Traffic(
    SINCE,
    UNTIL,
    (source("192.0.2.1", 12, 12, SourceClass.ALIGNED), source("192.0.2.66", 4, 0, SourceClass.UNKNOWN)),
    tuple(
        Day(SINCE + timedelta(days=number), messages)
        for number, messages in enumerate(
            ({}, {}, {SourceClass.ALIGNED: 5}, {}, {SourceClass.ALIGNED: 0}, {SourceClass.UNKNOWN: 4}, {})
        )
    ),
    (Reporter("Reporter", "reporter.example", 3, 16),),
)
"""Nothing before the third day, a gap, a day that was reported as empty, and no report of the last day yet."""


def chart_of(seen: Traffic, language: str = "en") -> Chart:
    part = monitoring.make(case_of(document_of(ASKING), traffic=seen), Texts(language))
    (chart,) = [block for block in blocks_in(part.blocks) if isinstance(block, Chart)]
    return chart


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_day_without_a_report_is_no_day_without_mail(language: str) -> None:
    chart, words = chart_of(GAPS, language), Texts(language)
    aligned, unknown = (series.values for series in chart.series)
    assert aligned == (None, None, 5, None, 0, 0, None)
    assert unknown == (None, None, 0, None, 0, 4, None)
    untold = words.plain("monitoring.untold")
    assert [[plain(cell) for cell in row[1:]] for row in chart.numbers.rows] == [
        [untold, untold],
        [untold, untold],
        ["5", "0"],
        [untold, untold],
        ["0", "0"],
        ["0", "4"],
        [untold, untold],
    ]
    assert plain(chart.alternative) == words.plain(
        "monitoring.chart-told.gaps", since=SINCE, until=UNTIL, messages=16, passed=12, days=7, untold=4
    )
    assert words.plain("monitoring.gaps", days=7, untold=4) in told(GAPS, language)


def test_weeks_before_the_first_report_are_not_empty_weeks() -> None:
    days = tuple(Day(SINCE + timedelta(days=n), {SourceClass.ALIGNED: 1} if n >= 25 else {}) for n in range(42))
    late = Traffic(SINCE, SINCE + timedelta(days=41), GAPS.sources, days, GAPS.reporters)
    (series,) = chart_of(late).series
    assert series.values == (None, None, None, 3, 7, 7)


def test_a_window_with_a_report_of_every_day_says_nothing_of_gaps() -> None:
    days = tuple(Day(SINCE + timedelta(days=n), {SourceClass.ALIGNED: 0}) for n in range(7))
    seen = Traffic(SINCE, UNTIL, GAPS.sources, days, GAPS.reporters)
    for language in ("ja", "en"):
        assert Texts(language).plain("monitoring.gaps", days=7, untold=0) not in told(seen, language)
        assert "stroke-dasharray" not in chart_svg(chart_of(seen, language), language)
        assert [plain(row[1]) for row in chart_of(seen, language).numbers.rows] == ["0"] * 7
    assert all(None not in series.values for series in chart_of(seen).series)


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_form_says_that_there_is_no_report(language: str) -> None:
    case = case_of(document_of(ASKING), traffic=GAPS)
    whole = make_book(case, language)
    page = replace(whole, parts=tuple(part for part in whole.parts if part.id == "monitoring"))
    untold, words = Texts(language).plain("monitoring.untold"), Texts(language)
    for text in (render_html(page), render_markdown(page), render_text(page)):
        assert text.count(untold) >= 8, "in each cell of four days"
        assert words.plain("monitoring.gaps", days=7, untold=4) in re.sub(r"<[^>]*>|\n", "", text)
    drawn = chart_svg(chart_of(GAPS, language), language)
    assert drawn.count(f">{untold}</text>") == 1, "the key to the shades"
    assert drawn.count("stroke-dasharray") == 4, "three runs of days, and the key"
    (chart,) = [block for block in to_data(page)["parts"][0]["blocks"] if block["block"] == "chart"]
    assert chart["series"][0]["values"] == [None, None, 5, None, 0, 0, None]
    assert fits(to_data(page), load_schema("guide-1"))


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_class_has_its_word_and_its_meaning(language: str) -> None:
    every = traffic(*(source("192.0.2.1", 1, 0, kind) for kind in SourceClass))
    part = monitoring.make(case_of(document_of(ASKING), traffic=every), Texts(language))
    classes = next(block for block in part.blocks if isinstance(block, Table))
    assert (
        len({plain(row[0]) for row in classes.rows}) == len({plain(row[2]) for row in classes.rows}) == len(SourceClass)
    )


def test_what_reporters_call_themselves_is_never_our_words() -> None:
    nasty = "<script>alert(1)</script>\u202e"
    seen = Traffic(SINCE, UNTIL, SEEN.sources, SEEN.days, (Reporter(nasty, nasty, 1, 1204),))
    part = monitoring.make(case_of(document_of(ASKING), traffic=seen), Texts("ja"))
    for span in spans_in(part.blocks):
        assert "\u202e" not in span.text
        assert "script" not in span.text or span.kind in (Kind.FACT, Kind.CODE)
