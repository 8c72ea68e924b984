"""The page about reports: what came from where, what counts, and what is not told one by one."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from mailguard.guidebook.blocks import Chart, Kind, Table, plain
from mailguard.guidebook.parts import monitoring
from mailguard.guidebook.parts.monitoring import MOST_SOURCES
from mailguard.guidebook.texts import Texts
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
    assert sum(map(sum, (series.values for series in chart.series))) == sum(
        sum(day.messages.values()) for day in by_day
    )
    drawn = list(zip(*(series.values for series in chart.series), strict=True))
    assert [tuple(int(plain(cell).replace(",", "")) for cell in row[1:]) for row in chart.numbers.rows] == drawn


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
