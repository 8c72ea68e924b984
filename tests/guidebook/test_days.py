"""Days as people in Japan write them."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from mailguard.guidebook.book import book_number
from mailguard.guidebook.case import Case
from mailguard.guidebook.days import fiscal_year_end, format_date, format_day, format_time


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-11-22T00:00:00+00:00", "2026年11月22日（令和8年11月22日）"),
        ("2026-11-21T15:00:00+00:00", "2026年11月22日（令和8年11月22日）"),  # midnight in Japan
        ("2026-11-21T14:59:59+00:00", "2026年11月21日（令和8年11月21日）"),
        ("2019-05-01T00:00:00+00:00", "2019年5月1日（令和元年5月1日）"),
        ("2019-04-30T00:00:00+00:00", "2019年4月30日（平成31年4月30日）"),
    ],
)
def test_a_day_in_a_head_has_its_era(moment: str, day: str) -> None:
    assert format_date(datetime.fromisoformat(moment), "ja") == day


def test_a_day_in_a_table_has_none() -> None:
    assert format_day(date(2026, 11, 22), "ja") == "2026年11月22日"
    assert format_day(date(2026, 11, 22), "en") == format_date(date(2026, 11, 22), "en") == "22 November 2026"


def test_a_moment_says_whose_clock_it_is() -> None:
    moment = datetime.fromisoformat("2026-11-21T23:30:00+00:00")
    assert format_time(moment, "ja") == "2026年11月22日 08:30（日本時間）"
    assert format_time(moment, "en") == "22 November 2026, 08:30 JST"


def test_the_fiscal_year_ends_in_march() -> None:
    assert fiscal_year_end(date(2026, 3, 31)) == date(2026, 3, 31)
    assert fiscal_year_end(date(2026, 4, 1)) == date(2027, 3, 31)


def test_a_guide_that_is_made_at_night_counts_from_the_day_in_japan() -> None:
    """Its date, its first due day and its number are of one calendar."""
    moment = "2026-11-21T15:00:00+00:00"  # midnight in Japan
    case = Case(document={"domain": "clinic.example", "as_of": moment}, made_at=datetime.fromisoformat(moment))
    assert case.made_on == date(2026, 11, 22)
    assert case.first_due == date(2026, 12, 22)
    assert book_number(case).startswith("MG-20261122-")
