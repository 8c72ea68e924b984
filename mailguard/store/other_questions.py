"""Asking the store about TLS reports and failure reports.

As with aggregate reports, what is not told otherwise counts only what is proved to come from the reporter
(``Grade.VERIFIED``). Sessions are added up here and not by the database: what strangers count may be too much for it.
"""

# ruff: noqa: S608 - what is put into statements here are names and marks of our own; every value is a parameter

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mailguard.store.database import Database
from mailguard.store.other_reports import TLS_FAILURE
from mailguard.store.reports import Window, days_since_epoch, mail_of
from mailguard.store.statements import marks
from mailguard.store.values import at_least
from mailguard.trust.grade import Grade

_DAY_S: Final = 86_400
_AT_ONCE: Final = 400


@dataclass(slots=True)
class TlsRow:
    """One TLS report as a line of a list. ``begin`` and ``end`` are POSIX seconds, the counts are sessions."""

    id: int
    grade: Grade
    reporter: str
    organization: str
    report_id: str
    begin: int
    end: int
    policies: int
    repaired: int
    dropped: int
    conflicts: int
    domains: list[str] = field(default_factory=list)
    successful: int = 0
    failed: int = 0


@dataclass(slots=True)
class TlsSum:
    """Sessions to one domain under one type of policy, over the reports of a window."""

    domain: str
    type: str
    reports: int = 0
    successful: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class FailureRow:
    """One failure report as a line of a list. Times are POSIX seconds; ``arrival`` is that of the mail that failed."""

    id: int
    grade: Grade
    reporter: str
    received_at: int
    arrival: int | None
    reported_domain: str
    auth_failure: str
    source_ip: str
    incidents: int


def list_tls(database: Database, window: Window | None = None, *, limit: int = 100) -> list[TlsRow]:
    """The TLS reports that were received last, or those of a window; at most ``limit``."""
    where, values = _tls_window(window)
    rows = database.rows(
        "SELECT id, grade, reporter, organization, report_id, begin_s, end_s, policies_kept, policies_repaired, "
        "policies_dropped, (SELECT COUNT(*) FROM tls_conflict WHERE tls_conflict.report_id = tls_report.id) "
        f"FROM tls_report WHERE {where} ORDER BY id DESC LIMIT ?",
        [*values, limit],
    )
    found = {row[0]: TlsRow(row[0], Grade(row[1]), *row[2:]) for row in rows}
    _add_up(database, found)
    return list(found.values())


def _add_up(database: Database, found: Mapping[int, TlsRow]) -> None:
    numbers = list(found)
    for at in range(0, len(numbers), _AT_ONCE):
        piece = numbers[at : at + _AT_ONCE]
        sql = f"SELECT report_id, domain, successful, failed FROM tls_policy WHERE report_id IN ({marks(len(piece))})"
        for number, domain, successful, failed in database.rows(sql + " ORDER BY report_id, n", piece):
            row = found[number]
            row.successful += successful or 0
            row.failed += failed or 0
            if domain not in row.domains:
                row.domains.append(domain)


def load_tls_sums(database: Database, window: Window) -> list[TlsSum]:
    """What happened to sessions, by domain and type of policy."""
    where, values = _tls_window(window)
    sums: dict[tuple[str, str], TlsSum] = {}
    seen: set[tuple[int, str, str]] = set()
    for number, domain, kind, successful, failed in database.stream(
        "SELECT tls_report.id, domain, type, successful, failed FROM tls_report "
        f"JOIN tls_policy ON tls_policy.report_id = tls_report.id WHERE {where}",
        values,
    ):
        if window.domain and domain != window.domain:
            continue
        row = sums.setdefault((domain, kind), TlsSum(domain, kind))
        row.reports += (number, domain, kind) not in seen
        seen.add((number, domain, kind))
        row.successful += successful or 0
        row.failed += failed or 0
    return [sums[key] for key in sorted(sums)]


def show_tls(database: Database, number: int) -> dict[str, Any] | None:
    """Everything that is known about one TLS report; ``None`` when there is none of that number."""
    columns = (
        *("id", "mail_id", "grade", "reporter", "trust_reasons", "organization", "contact", "report_id", "begin_s"),
        *("end_s", "policies_read", "policies_kept", "policies_repaired", "policies_dropped", "defects"),
        "defects_omitted",
    )
    rows = database.rows(f"SELECT {', '.join(columns)} FROM tls_report WHERE id = ?", (number,))
    if not rows:
        return None
    found = dict(zip(columns, rows[0], strict=True))
    found["trust_reasons"] = json.loads(found["trust_reasons"])
    found["defects"] = [
        dict(zip(("kind", "place", "detail"), one, strict=True)) for one in json.loads(found["defects"])
    ]
    found["mail"] = mail_of(database, found["mail_id"])
    policies = database.rows(f"SELECT {', '.join(_POLICY)} FROM tls_policy WHERE report_id = ? ORDER BY n", (number,))
    found["policies"] = [_policy(row) for row in policies]
    conflicts = database.rows("SELECT mail_id FROM tls_conflict WHERE report_id = ? ORDER BY mail_id", (number,))
    found["conflicts"] = [{"mail_id": mail_id} for (mail_id,) in conflicts]
    return found


_POLICY: Final = ("type", "domain", "strings", "mx", "successful", "failed", "failures")


def _policy(row: Iterable[Any]) -> dict[str, Any]:
    found = dict(zip(_POLICY, row, strict=True))
    failures = [dict(zip(TLS_FAILURE, one, strict=True)) for one in json.loads(found["failures"])]
    told = [{name: value for name, value in one.items() if value not in ("", None)} for one in failures]
    return {**found, "strings": json.loads(found["strings"]), "mx": json.loads(found["mx"]), "failures": told}


TLS_COLUMNS: Final = (
    *("report", "grade", "reporter", "org_name", "report_id", "begin", "end"),
    *("policy_domain", "policy_type", "mx", "successful", "failed", "failures"),
)


def stream_tls(database: Database, window: Window) -> Iterator[dict[str, Any]]:
    """Every policy of the TLS reports of a window; keys are ``TLS_COLUMNS``, counts are sessions."""
    where, values = _tls_window(window)
    for row in database.stream(
        "SELECT tls_report.id, grade, reporter, organization, tls_report.report_id, begin_s, end_s, "
        "type, domain, strings, mx, successful, failed, failures "
        f"FROM tls_report JOIN tls_policy ON tls_policy.report_id = tls_report.id WHERE {where} "
        "ORDER BY day, tls_report.id, n",
        values,
    ):
        policy = _policy(row[7:])
        if window.domain and policy["domain"] != window.domain:
            continue
        told = (policy[name] for name in ("domain", "type", "mx", "successful", "failed", "failures"))
        yield dict(zip(TLS_COLUMNS, (*row[:7], *told), strict=True))


def list_failures(database: Database, window: Window | None = None, *, limit: int = 100) -> list[FailureRow]:
    """The failure reports that were received last, or those of a window; at most ``limit``."""
    where, values = _failure_window(window)
    rows = database.rows(
        "SELECT failure_report.id, grade, reporter, received_at, arrival, reported_domain, auth_failure, source_ip, "
        f"incidents FROM failure_report JOIN mail ON mail.id = mail_id WHERE {where} "
        "ORDER BY failure_report.id DESC LIMIT ?",
        [*values, limit],
    )
    return [FailureRow(row[0], Grade(row[1]), *row[2:]) for row in rows]


_FAILURE: Final = (
    *("grade", "reporter", "reported_domain", "auth_failure", "source_ip", "arrival", "incidents", "mail_from_domain"),
    *("dkim_domain", "dkim_selector", "delivery_result", "identity_alignment", "reporting_mta", "feedback_type"),
)


def show_failure(database: Database, number: int) -> dict[str, Any] | None:
    """Everything that is kept of one failure report; ``None`` when there is none of that number."""
    columns = ("id", "mail_id", "trust_reasons", *_FAILURE)
    rows = database.rows(f"SELECT {', '.join(columns)} FROM failure_report WHERE id = ?", (number,))
    if not rows:
        return None
    found = dict(zip(columns, rows[0], strict=True))
    found["trust_reasons"] = json.loads(found["trust_reasons"])
    found["mail"] = mail_of(database, found["mail_id"])
    return found


FAILURE_COLUMNS: Final = ("report", "received_at", *_FAILURE)


def stream_failures(database: Database, window: Window) -> Iterator[dict[str, Any]]:
    """Every failure report of a window; keys are ``FAILURE_COLUMNS``."""
    where, values = _failure_window(window)
    for row in database.stream(
        f"SELECT failure_report.id, received_at, {', '.join(_FAILURE)} "
        f"FROM failure_report JOIN mail ON mail.id = mail_id WHERE {where} ORDER BY failure_report.id",
        values,
    ):
        yield dict(zip(FAILURE_COLUMNS, row, strict=True))


def _tls_window(window: Window | None) -> tuple[str, list[object]]:
    if window is None:
        return "1 = 1", []
    grades = [grade.value for grade in at_least(window.least)]
    days: list[object] = [days_since_epoch(window.since), days_since_epoch(window.until)]
    where = f"day >= ? AND day < ? AND grade IN ({marks(len(grades))})"
    if not window.domain:
        return where, [*days, *grades]
    about = "tls_report.id IN (SELECT report_id FROM tls_policy WHERE domain = ?)"
    return f"{where} AND {about}", [*days, *grades, window.domain]


def _failure_window(window: Window | None) -> tuple[str, list[object]]:
    """By the time when the report was received, since its own times are anybody's."""
    if window is None:
        return "1 = 1", []
    grades = [grade.value for grade in at_least(window.least)]
    moments: list[object] = [days_since_epoch(day) * _DAY_S for day in (window.since, window.until)]
    where = f"received_at >= ? AND received_at < ? AND grade IN ({marks(len(grades))})"
    if not window.domain:
        return where, [*moments, *grades]
    return f"{where} AND reported_domain = ?", [*moments, *grades, window.domain]
