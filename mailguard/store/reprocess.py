"""Reading the kept mails again after the reader has learned something: better rows, no duplicates, right sums.

A report is found again in the database by the mail it came in and its content, else by its id, domain and range. It
keeps its number, and its grade: that hangs on the mail's sender, who is the same. What could not be read before is
filed as if it came now. A report that the reader no longer finds stays as it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from mailguard.feedback.envelope import ReceivedMail, Way
from mailguard.feedback.mail import MailContents
from mailguard.feedback.report import AggregateReport
from mailguard.store import filing
from mailguard.store.database import Database
from mailguard.store.encode import clean, defect_rows, number, record_rows, report_key, report_row, unpack
from mailguard.store.statements import COLUMNS, COUNT_IN
from mailguard.store.values import Filed, Outcome
from mailguard.trust.grade import Grade, Trust

# ruff: noqa: S608 - what is put into statements here are names of our own; every value is a parameter

Read = Callable[[bytes], MailContents]
Judge = Callable[[ReceivedMail, MailContents, str], tuple[Trust, ...]]
"""Grades reports that could not be read before, from the mail and what was found out about its sender."""

_HEAD: Final = COLUMNS["report"]
_MAIL: Final = "raw, received_at, peer, mail_from, rcpt_to, helo, tls, way, origin, authentication"


@dataclass(slots=True)
class Reread:
    """What came of reading mails again, in reports."""

    mails: int = 0
    better: int = 0  # rows that differ now
    unchanged: int = 0
    found: int = 0  # could not be read before
    conflicts: int = 0
    lost: int = 0  # could be read before; they stay as they were


def not_judged(mail: ReceivedMail, contents: MailContents, account: str) -> tuple[Trust, ...]:
    """The ``Judge`` that knows nothing."""
    return (Trust(Grade.UNVERIFIED, "", ("not-checked",)),) * len(contents.reports)


def reprocess(database: Database, read: Read, judge: Judge = not_judged) -> Iterator[Reread]:
    """Read all mails that are kept, one transaction each; the count so far after every mail. Raises driver errors."""
    told = Reread()
    for (mail_id,) in database.rows("SELECT id FROM mail WHERE raw IS NOT NULL ORDER BY id"):
        with database.transaction():
            _reread(database, mail_id, read, judge, told)
        yield told


def _reread(database: Database, mail_id: int, read: Read, judge: Judge, told: Reread) -> None:
    found = database.rows(f"SELECT {_MAIL} FROM mail WHERE id = ? AND raw IS NOT NULL", (mail_id,))
    if not found:
        return  # pruned meanwhile
    packed, received_at, peer, mail_from, rcpt_to, helo, tls, way, origin, account = found[0]
    mail = ReceivedMail(
        unpack(packed), received_at, peer, mail_from, tuple(rcpt_to.split()), helo, tls, Way(way), origin
    )
    contents = read(mail.raw)
    told.mails += 1
    known = _known(database, mail_id)
    fresh = []
    for report in contents.reports:
        matches = _matches(known, report)
        if not matches:
            fresh.append(report)
        for match in matches:
            known.remove(match)
            _improve(database, mail_id, match, report, told)
    told.lost += len(known)
    _file(database, mail, replace(contents, reports=tuple(fresh)), account, judge, told)
    database.run("DELETE FROM unreadable WHERE mail_id = ?", (mail_id,))
    database.insert("unreadable", filing.unreadable_rows(mail_id, contents.unreadable))


def _file(
    database: Database, mail: ReceivedMail, contents: MailContents, account: str, judge: Judge, told: Reread
) -> None:
    if not contents.reports and not contents.tls_reports:
        return
    (stored,) = filing.add(database, [Filed(mail, contents, judge(mail, contents, account), account)])
    outcomes = (*stored.outcomes, *stored.tls_outcomes)
    told.found += outcomes.count(Outcome.STORED)
    told.conflicts += outcomes.count(Outcome.CONFLICT)


def _known(database: Database, mail_id: int) -> list[dict[str, Any]]:
    columns = (*_HEAD, "superseded_by")
    rows = database.rows(f"SELECT {', '.join(columns)} FROM report WHERE mail_id = ? ORDER BY id", (mail_id,))
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _matches(known: list[dict[str, Any]], report: AggregateReport) -> list[dict[str, Any]]:
    """The rows of a report: copies of it, one for each grade that the mail came with; else the one of its name."""
    wanted = (clean(report.report_id), number(report.begin), number(report.end))
    copies = [one for one in known if one["digest"] == report.digest]
    return copies or [one for one in known if (one["report_id"], one["begin_s"], one["end_s"]) == wanted][-1:]


def _improve(database: Database, mail_id: int, old: dict[str, Any], report: AggregateReport, told: Reread) -> None:
    """Put a new reading in the place of the old one, unless they say the same or the records' time is over."""
    reporter = "" if old["grade"] == Grade.UNVERIFIED else old["reporter"]
    trust = Trust(Grade(old["grade"]), reporter, tuple(json.loads(old["trust_reasons"])))
    key = report_key(report, trust)
    head = report_row(old["id"], mail_id, key, report, trust)
    if not _differs(database, old, head, report):
        told.unchanged += 1
        return
    if key != old["key"] and database.rows("SELECT id FROM report WHERE key = ?", (key,)):
        told.conflicts += 1
        return
    counts = old["superseded_by"] is None
    if counts:
        filing.count_out(database, old["id"])
    for table in ("record", "report_selector", "defect"):
        database.run(f"DELETE FROM {table} WHERE report_id = ?", (old["id"],))
    changes = ", ".join(f"{column} = ?" for column in _HEAD[1:])
    database.run(f"UPDATE report SET {changes} WHERE id = ?", (*head[1:], old["id"]))
    filing.insert_details(database, [(old["id"], report)])
    if counts:
        for statement in COUNT_IN:
            database.run(statement, (old["id"], old["id"]))
    told.better += 1


def _differs(database: Database, old: dict[str, Any], head: tuple[object, ...], report: AggregateReport) -> bool:
    rows = _rows(database, "record", old["id"])
    if old["records_kept"] and not rows:
        return False  # their time is over, and the sums cannot be changed without them
    return (
        tuple(old[column] for column in _HEAD) != head
        or rows != list(record_rows(old["id"], report.records))
        or _rows(database, "defect", old["id"]) != list(defect_rows(old["id"], report))
    )


def _rows(database: Database, table: str, report_id: int) -> list[tuple[Any, ...]]:
    return database.rows(
        f"SELECT {', '.join(COLUMNS[table])} FROM {table} WHERE report_id = ? ORDER BY n", (report_id,)
    )
