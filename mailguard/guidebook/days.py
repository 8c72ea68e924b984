"""Days and moments as people in Japan write them. Everything is shown in Japan's time, which has no summer time."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Final

JAPAN: Final = timezone(timedelta(hours=9), "JST")
_ERAS: Final = ((date(2019, 5, 1), "令和"), (date(1989, 1, 8), "平成"))
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


def in_japan(moment: object) -> date:
    """The day on which a moment falls in Japan; a day stays what it is."""
    if isinstance(moment, datetime):
        return moment.astimezone(JAPAN).date()
    assert isinstance(moment, date)
    return moment


def format_date(moment: object, language: str) -> str:
    """A day with its era, for heads and letters."""
    day = in_japan(moment)
    if language != "ja":
        return format_day(day, language)
    return f"{format_day(day, language)}（{era_day(day)}）"


def format_day(moment: object, language: str) -> str:
    """A day without its era."""
    day = in_japan(moment)
    if language == "ja":
        return f"{day.year}年{day.month}月{day.day}日"
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def format_time(moment: object, language: str) -> str:
    """A moment to the minute, with the name of the time zone."""
    assert isinstance(moment, datetime)
    local = moment.astimezone(JAPAN)
    clock = f"{local:%H:%M}"
    if language == "ja":
        return f"{format_day(local, language)} {clock}（日本時間）"
    return f"{format_day(local, language)}, {clock} JST"


def era_day(day: date) -> str:
    """令和8年11月22日; the first year of an era is 元年. Days before 1989 are written without an era."""
    for begin, name in _ERAS:
        if day >= begin:
            year = day.year - begin.year + 1
            return f"{name}{'元' if year == 1 else year}年{day.month}月{day.day}日"
    return f"{day.year}年{day.month}月{day.day}日"


def fiscal_year_end(day: date) -> date:
    """31 March of the Japanese fiscal year in which a day lies."""
    return date(day.year + (day.month > 3), 3, 31)
