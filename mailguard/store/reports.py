"""Putting mails and their reports into the database, and asking it what the reports of a window show."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from mailguard.feedback.envelope import ReceivedMail
from mailguard.feedback.mail import MailContents
from mailguard.feedback.report import AggregateReport, Record, Unreadable
from mailguard.store.transaction import transaction


class Outcome(StrEnum):
    """What became of a report."""

    ADDED = "added"
    KNOWN = "known"  # the very same report was there already
    CONFLICT = "conflict"  # another report was there already under the same key; that one stays


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a mail: ``new`` is false for one that was received before, and then nothing was done."""

    mail_id: int
    new: bool
    outcomes: tuple[Outcome, ...]


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
    reporters: int  # organisations that saw it


@dataclass(frozen=True, slots=True)
class ReporterRow:
    """What one organisation reported in a window. ``org_name`` is what it calls itself; nobody has checked."""

    org_name: str
    reports: int
    messages: int


def add_mail(connection: sqlite3.Connection, mail: ReceivedMail, contents: MailContents) -> Stored:
    """Store a mail and all reports in it in one transaction; committed (and synced) on return.

    Doing it again changes nothing. Raises sqlite3.Error when the database will not have it; then nothing was stored.
    """
    with transaction(connection):
        known = connection.execute("SELECT id FROM mail WHERE sha256 = ?", (mail.digest,)).fetchone()
        if known:
            return Stored(known[0], False, ())
        mail_id = _insert_mail(connection, mail)
        _insert_unreadable(connection, mail_id, contents.unreadable)
        outcomes = tuple(add_report(connection, mail_id, report) for report in contents.reports)
        return Stored(mail_id, True, outcomes)


def add_report(
    connection: sqlite3.Connection, mail_id: int, report: AggregateReport, *, authenticated_domain: str = ""
) -> Outcome:
    """Add one report and its records inside the caller's transaction, unless its key is taken."""
    key = (
        authenticated_domain,
        report.org_name,
        report.report_id,
        report.policy.domain,
        report.begin,
        report.end,
    )
    known = connection.execute(
        "SELECT id, content_sha256 FROM report WHERE authenticated_domain = ? AND org_name = ? AND report_id = ? "
        "AND policy_domain = ? AND begin_s = ? AND end_s = ?",
        key,
    ).fetchone()
    if known is None:
        _insert_records(connection, _insert_report(connection, mail_id, key, report), report.records)
        return Outcome.ADDED
    if known[1] == report.digest:
        return Outcome.KNOWN
    connection.execute(
        "INSERT OR IGNORE INTO report_conflict (report_id, mail_id, content_sha256) VALUES (?, ?, ?)",
        (known[0], mail_id, report.digest),
    )
    return Outcome.CONFLICT


def load_sources(connection: sqlite3.Connection, domain: str, begin: int, end: int) -> list[SourceRow]:
    """Every source in reports about ``domain`` that begin in [``begin``, ``end``), busiest first."""
    rows = connection.execute(
        """
        SELECT source_ip,
               SUM(count),
               SUM(CASE WHEN dkim_aligned = 'pass' OR spf_aligned = 'pass' THEN count ELSE 0 END),
               SUM(CASE WHEN dkim_aligned = 'pass' THEN count ELSE 0 END),
               SUM(CASE WHEN spf_aligned = 'pass' THEN count ELSE 0 END),
               SUM(CASE WHEN disposition IN ('quarantine', 'reject') THEN count ELSE 0 END),
               COUNT(DISTINCT org_name)
        FROM report JOIN record ON record.report_id = report.id
        WHERE policy_domain = ? AND begin_s >= ? AND begin_s < ?
        GROUP BY source_ip
        ORDER BY 2 DESC, source_ip
        """,
        (domain, begin, end),
    )
    return [SourceRow(*row) for row in rows]


def load_reporters(connection: sqlite3.Connection, domain: str, begin: int, end: int) -> list[ReporterRow]:
    """Every organisation with reports about ``domain`` that begin in [``begin``, ``end``), busiest first."""
    rows = connection.execute(
        """
        SELECT org_name, COUNT(DISTINCT report.id), COALESCE(SUM(count), 0)
        FROM report LEFT JOIN record ON record.report_id = report.id
        WHERE policy_domain = ? AND begin_s >= ? AND begin_s < ?
        GROUP BY org_name
        ORDER BY 3 DESC, org_name
        """,
        (domain, begin, end),
    )
    return [ReporterRow(*row) for row in rows]


def load_selectors(connection: sqlite3.Connection, domain: str) -> tuple[str, ...]:
    """DKIM selectors that reports about ``domain`` saw on signatures of that very domain, busiest first."""
    rows = connection.execute(
        """
        SELECT selector
        FROM report JOIN record ON record.report_id = report.id JOIN auth_result ON auth_result.record_id = record.id
        WHERE policy_domain = ? AND mechanism = 'dkim' AND domain = ? AND selector <> ''
        GROUP BY selector
        ORDER BY SUM(count) DESC, selector
        """,
        (domain, domain),
    )
    return tuple(row[0] for row in rows)


def _insert_mail(connection: sqlite3.Connection, mail: ReceivedMail) -> int:
    cursor = connection.execute(
        "INSERT INTO mail (sha256, received_at, peer, mail_from, rcpt_to, raw) VALUES (?, ?, ?, ?, ?, ?)",
        (mail.digest, mail.received_at, mail.peer, mail.mail_from, " ".join(mail.rcpt_to), mail.raw),
    )
    return _new_id(cursor)


def _insert_unreadable(connection: sqlite3.Connection, mail_id: int, files: Iterable[Unreadable]) -> None:
    connection.executemany(
        "INSERT INTO unreadable (mail_id, place, reason) VALUES (?, ?, ?)",
        [(mail_id, file.place, file.reason) for file in files],
    )


def _insert_report(
    connection: sqlite3.Connection,
    mail_id: int,
    key: tuple[str, str, str, str, int, int],
    report: AggregateReport,
) -> int:
    policy = report.policy
    cursor = connection.execute(
        "INSERT INTO report (mail_id, authenticated_domain, org_name, report_id, policy_domain, begin_s, end_s, email, "
        "p, sp, np, adkim, aspf, pct, fo, testing, discovery_method, generator, records_read, records_repaired, "
        "records_dropped, content_sha256) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(mail_id, *key, report.email, policy.p, policy.sp, policy.np, policy.adkim, policy.aspf, policy.pct),
            *(policy.fo, policy.testing, policy.discovery_method, report.generator),
            *(report.read, report.repaired, report.dropped, report.digest),
        ),
    )
    return _new_id(cursor)


def _insert_records(connection: sqlite3.Connection, report_id: int, records: Iterable[Record]) -> None:
    for record in records:
        cursor = connection.execute(
            "INSERT INTO record (report_id, source_ip, count, disposition, dkim_aligned, spf_aligned, header_from, "
            "envelope_from, envelope_to, reasons) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(report_id, record.source_ip, record.count, record.disposition.value),
                *(record.dkim.value, record.spf.value, record.header_from, record.envelope_from, record.envelope_to),
                " ".join(reason.type for reason in record.reasons),
            ),
        )
        connection.executemany(
            "INSERT INTO auth_result (record_id, mechanism, domain, selector, scope, result) VALUES (?, ?, ?, ?, ?, ?)",
            list(_auth_results(_new_id(cursor), record)),
        )


def _auth_results(record_id: int, record: Record) -> Iterator[tuple[int, str, str, str, str, str]]:
    for dkim in record.dkim_results:
        yield record_id, "dkim", dkim.domain, dkim.selector, "", dkim.result.value
    for spf in record.spf_results:
        yield record_id, "spf", spf.domain, "", spf.scope, spf.result.value


def _new_id(cursor: sqlite3.Cursor) -> int:
    assert cursor.lastrowid is not None
    return cursor.lastrowid
