"""Asking the store: what came in, and what the reports of a window show.

A window is whole UTC days, ``since`` up to and without ``until``; a report belongs to the day that it begins on. What
is not told otherwise counts only reports that are proved to come from the reporter (``Grade.VERIFIED``).
"""

# ruff: noqa: S608 - what is put into statements here are names and marks of our own; every value is a parameter

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from mailguard.store.database import Database
from mailguard.store.statements import marks
from mailguard.store.values import at_least
from mailguard.trust.grade import Grade

_EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Window:
    """Reports about one domain (empty: any), of the days from ``since`` up to, not including, ``until``.

    ``least`` is the least grade of trust that counts.
    """

    domain: str
    since: date = date.min
    until: date = date.max
    least: Grade = Grade.VERIFIED


@dataclass(frozen=True, slots=True)
class SourceRow:
    """What the reports of a window say about one source address. All but the address count messages.

    ``passed`` had an aligned pass of DKIM, SPF or both; ``stopped`` were quarantined or rejected.
    """

    source_ip: str
    messages: int
    passed: int
    dkim_aligned: int
    spf_aligned: int
    stopped: int
    reporters: int  # that saw it


@dataclass(frozen=True, slots=True)
class ReporterRow:
    """What one organisation reported in a window. ``org_name`` is what it calls itself.

    ``domain`` is its proved domain; empty for unverified reports.
    """

    org_name: str
    reports: int
    messages: int
    domain: str = ""
    grade: Grade = Grade.UNVERIFIED


@dataclass(frozen=True, slots=True)
class DayRow:
    """Messages of one day with the same outcome, over all sources."""

    day: date
    reporter: str
    grade: Grade
    disposition: str
    dkim_aligned: str
    spf_aligned: str
    messages: int


@dataclass(frozen=True, slots=True)
class SelectorRow:
    """A DKIM selector that receivers saw on mail in a domain's name; messages whose signature passed and failed."""

    domain: str
    selector: str
    passed: int
    failed: int


@dataclass(frozen=True, slots=True)
class KnownReporter:
    """A domain that is proved to have reported under a name, and the days that its first and last report are about."""

    org_name: str
    domain: str
    first: date
    last: date
    reports: int


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One report as a line of a list. ``begin`` and ``end`` are POSIX seconds."""

    id: int
    grade: Grade
    reporter: str
    org_name: str
    report_id: str
    policy_domain: str
    begin: int
    end: int
    records: int
    messages: int
    repaired: int
    dropped: int
    superseded: bool
    conflicts: int


def load_sources(database: Database, window: Window) -> list[SourceRow]:
    """Every source, busiest first."""
    where, values = _in_window(window)
    rows = database.rows(
        "SELECT source_ip, CAST(SUM(messages) AS BIGINT), CAST(SUM(passed) AS BIGINT), "
        "CAST(SUM(dkim_passed) AS BIGINT), CAST(SUM(spf_passed) AS BIGINT), CAST(SUM(stopped) AS BIGINT), "
        f"COUNT(DISTINCT reporter) FROM rollup_source WHERE {where} GROUP BY source_ip ORDER BY 2 DESC, 1",
        values,
    )
    return [SourceRow(*row) for row in rows]


def load_reporters(database: Database, window: Window) -> list[ReporterRow]:
    """Every reporter, busiest first."""
    where, values = _in_window(window)
    rows = database.rows(
        "SELECT org_name, COUNT(*), CAST(SUM(messages) AS BIGINT), reporter, grade FROM report "
        f"WHERE {where} AND superseded_by IS NULL GROUP BY org_name, reporter, grade ORDER BY 3 DESC, 1, 4, 5",
        values,
    )
    return [
        ReporterRow(name, reports, messages, "" if grade == Grade.UNVERIFIED else reporter, Grade(grade))
        for name, reports, messages, reporter, grade in rows
    ]


def load_days(database: Database, window: Window) -> list[DayRow]:
    """The daily series, oldest first."""
    where, values = _in_window(window)
    rows = database.rows(
        "SELECT day, reporter, grade, disposition, dkim_aligned, spf_aligned, messages FROM rollup_day "
        f"WHERE {where} ORDER BY day, grade, reporter, disposition, dkim_aligned, spf_aligned",
        values,
    )
    return [DayRow(_date(day), reporter, Grade(grade), *rest) for day, reporter, grade, *rest in rows]


def load_selectors(database: Database, window: Window) -> list[SelectorRow]:
    """The DKIM selectors that receivers saw, of any signing domain, busiest first."""
    where, values = _in_window(window)
    rows = database.rows(
        "SELECT domain, selector, CAST(SUM(passed) AS BIGINT), CAST(SUM(failed) AS BIGINT) "
        "FROM report JOIN report_selector ON report_selector.report_id = report.id "
        f"WHERE {where} AND superseded_by IS NULL GROUP BY domain, selector "
        "ORDER BY SUM(passed) + SUM(failed) DESC, domain, selector",
        values,
    )
    return [SelectorRow(*row) for row in rows]


def load_known_reporters(database: Database, least: Grade = Grade.VERIFIED) -> list[KnownReporter]:
    """Every name and domain that have ever reported together."""
    grades = at_least(least)
    rows = database.rows(
        "SELECT org_name, reporter, MIN(day), MAX(day), COUNT(*) FROM report "
        f"WHERE grade IN ({marks(len(grades))}) GROUP BY org_name, reporter ORDER BY org_name, reporter",
        [grade.value for grade in grades],
    )
    return [
        KnownReporter(name, domain, _date(first), _date(last), reports) for name, domain, first, last, reports in rows
    ]


def load_known_names(database: Database) -> list[tuple[str, str]]:
    """Names with the domains that are proved to have reported under them, in reports of any kind that is graded so."""
    rows = database.rows(
        "SELECT org_name, reporter FROM report WHERE grade = ? UNION "
        "SELECT organization, reporter FROM tls_report WHERE grade = ? ORDER BY 1, 2",
        (Grade.VERIFIED.value, Grade.VERIFIED.value),
    )
    return [(name, domain) for name, domain in rows]


def list_reports(database: Database, window: Window | None = None, *, limit: int = 100) -> list[ReportRow]:
    """The reports that were received last, or those of a window; at most ``limit``."""
    where, values = _in_window(window) if window else ("1 = 1", [])
    rows = database.rows(
        f"SELECT {_LINE} FROM report WHERE {where} ORDER BY id DESC LIMIT ?",
        [*values, limit],
    )
    return [ReportRow(*(row[0], Grade(row[1]), *row[2:12], bool(row[12]), row[13])) for row in rows]


def show_report(database: Database, number: int) -> dict[str, Any] | None:
    """Everything that is known about one report, its first records included; ``None`` when there is none."""
    columns = (
        *("id", "mail_id", "grade", "reporter", "trust_reasons", "superseded_by", "org_name", "email"),
        *("extra_contact_info", "report_id", "policy_domain", "begin_s", "end_s", "p", "sp", "np", "adkim", "aspf"),
        *("pct", "fo", "testing", "discovery_method", "version", "generator", "errors", "records_read"),
        *("records_kept", "records_repaired", "records_dropped", "defects_omitted", "messages"),
    )
    rows = database.rows(f"SELECT {', '.join(columns)} FROM report WHERE id = ?", (number,))
    if not rows:
        return None
    found = dict(zip(columns, rows[0], strict=True))
    found["trust_reasons"], found["errors"] = json.loads(found["trust_reasons"]), json.loads(found["errors"])
    found["mail"] = mail_of(database, found["mail_id"])
    defects = database.rows("SELECT kind, place, detail FROM defect WHERE report_id = ? ORDER BY n", (number,))
    found["defects"] = [dict(zip(("kind", "place", "detail"), one, strict=True)) for one in defects]
    conflicts = database.rows(
        "SELECT mail_id, records_kept, messages FROM report_conflict WHERE report_id = ? ORDER BY mail_id", (number,)
    )
    found["conflicts"] = [dict(zip(("mail_id", "records_kept", "messages"), one, strict=True)) for one in conflicts]
    return found


def mail_of(database: Database, mail_id: int) -> dict[str, Any]:
    """What is known of how a mail came, and which of its files could not be read."""
    columns = ("received_at", "way", "origin", "peer", "helo", "tls", "mail_from", "rcpt_to", "size")
    (row,) = database.rows(f"SELECT {', '.join(columns)} FROM mail WHERE id = ?", (mail_id,))
    unreadable = database.rows("SELECT place, reason FROM unreadable WHERE mail_id = ? ORDER BY n", (mail_id,))
    files = [dict(zip(("place", "reason"), one, strict=True)) for one in unreadable]
    return dict(zip(columns, row, strict=True)) | {"unreadable": files}


def count_read_in_part(database: Database) -> int:
    """Mails with a report that was read and a file that could not be."""
    ((count,),) = database.rows("SELECT COUNT(DISTINCT mail_id) FROM unreadable")
    return int(count)


RECORD_COLUMNS: Final = (
    *("report", "grade", "reporter", "org_name", "report_id", "policy_domain", "begin", "end", "source_ip", "messages"),
    *("disposition", "dkim_aligned", "spf_aligned", "header_from", "envelope_from", "envelope_to", "reasons", "dkim"),
    "spf",
)


def stream_records(database: Database, window: Window) -> Iterator[dict[str, Any]]:
    """Every record of a window that counts, with what its report says; keys are ``RECORD_COLUMNS``."""
    where, values = _in_window(window)
    for row in database.stream(
        "SELECT report.id, grade, reporter, org_name, report.report_id, policy_domain, begin_s, end_s, source_ip, "
        "record.messages, disposition, dkim_aligned, spf_aligned, header_from, envelope_from, envelope_to, reasons, "
        "auth_results FROM report JOIN record ON record.report_id = report.id "
        f"WHERE {where} AND superseded_by IS NULL ORDER BY day, report.id, n",
        values,
    ):
        dkim, spf = json.loads(row[-1])
        values_of_row = (*row[:-2], json.loads(row[-2]), dkim, spf)
        yield dict(zip(RECORD_COLUMNS, values_of_row, strict=True))


_LINE: Final = (
    "id, grade, reporter, org_name, report_id, policy_domain, begin_s, end_s, records_kept, messages, "
    "records_repaired, records_dropped, superseded_by IS NOT NULL, "
    "(SELECT COUNT(*) FROM report_conflict WHERE report_conflict.report_id = report.id)"
)


def days_since_epoch(day: date) -> int:
    """A date as the store counts days."""
    return (day - _EPOCH).days


def _date(day: int) -> date:
    """A day of the store as a date; what no date can say becomes the nearest one that can."""
    return _EPOCH + timedelta(days=max(-719_162, min(day, 2_932_896)))


def _in_window(window: Window) -> tuple[str, list[object]]:
    grades = [grade.value for grade in at_least(window.least)]
    domain = [window.domain] if window.domain else []
    return (
        f"{'policy_domain = ? AND ' if domain else ''}day >= ? AND day < ? AND grade IN ({marks(len(grades))})",
        [*domain, days_since_epoch(window.since), days_since_epoch(window.until), *grades],
    )
