"""Reading the kept mails again after the reader has learned something: better rows, no duplicates, right sums.

A report is found again in the database by the mail it came in and its content, else by its id, domain and range. It
keeps its number, and unless the caller wants it judged by the rules of today (``regrade``) its grade. DNS is not asked
again, so a grade gets worse only for a reason that no answer could outweigh. What could not be read before is filed as
if it came now. A report that the reader no longer finds stays as it is. TLS reports are known by their
content; of those only the grade can get better.

Reading itself is done elsewhere (``worker/reprocess.py``), in processes that a hostile mail can do no harm to: what was
kept is as hostile as it was when it came.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, Final

from mailguard.feedback.envelope import ReceivedMail, Way
from mailguard.feedback.report import AggregateReport
from mailguard.store import filing
from mailguard.store.database import Database
from mailguard.store.encode import clean, defect_rows, number, record_rows, report_key, report_row, unpack
from mailguard.store.statements import COLUMNS, COUNT_IN
from mailguard.store.values import GRADES, Filed, Outcome
from mailguard.trust.grade import Grade, Trust
from mailguard.trust.judge import CERTAIN

# ruff: noqa: S608 - what is put into statements here are names of our own; every value is a parameter

_HEAD: Final = COLUMNS["report"]
_MAIL: Final = "raw, received_at, peer, mail_from, rcpt_to, helo, tls, way, origin, authentication"


@dataclass(frozen=True, slots=True)
class Kept:
    """A mail that is kept. ``account`` is what was found out about its sender (``Filed.authentication``)."""

    id: int
    mail: ReceivedMail
    account: str


@dataclass(slots=True)
class Reread:
    """What came of reading mails again, in reports."""

    mails: int = 0
    better: int = 0  # rows that differ now, or better proved
    unchanged: int = 0
    found: int = 0  # could not be read before
    conflicts: int = 0
    lost: int = 0  # could be read before; they stay as they were
    gone: int = 0  # mails that are not kept any more; their reports stay as they are
    unread: int = 0  # mails that went beyond the bounds, of which everything stays as it was


def list_kept(database: Database) -> list[int]:
    """The numbers of all mails that are kept, the first received first."""
    return [number for (number,) in database.rows("SELECT id FROM mail WHERE raw IS NOT NULL ORDER BY id")]


def count_gone(database: Database) -> int:
    """Mails of which reports are stored and that cannot be read again, because their bytes are not kept any more."""
    of_reports = "id IN (SELECT mail_id FROM report UNION SELECT mail_id FROM tls_report)"
    ((mails,),) = database.rows(f"SELECT COUNT(*) FROM mail WHERE raw IS NULL AND {of_reports}")
    return int(mails)


def load_kept(database: Database, mail_id: int) -> Kept | None:
    """One of them; None if its time is over meanwhile."""
    found = database.rows(f"SELECT {_MAIL} FROM mail WHERE id = ? AND raw IS NOT NULL", (mail_id,))
    if not found:
        return None
    packed, received_at, peer, mail_from, rcpt_to, helo, tls, way, origin, account = found[0]
    rcpt = tuple(rcpt_to.split())
    mail = ReceivedMail(unpack(packed), received_at, peer, mail_from, rcpt, helo, tls, Way(way), origin)
    return Kept(mail_id, mail, account)


def reread(database: Database, kept: Kept, filed: Filed, told: Reread, *, regrade: bool = False) -> None:
    """Put a new reading of a mail in the place of the old one, in a transaction of its own, and count what came of it.

    ``filed`` has the reports as they are read now, each with the grade it would have if it were new. Raises the
    driver's errors; then nothing was changed.
    """
    with database.transaction():
        if database.rows("SELECT 1 FROM mail WHERE id = ? AND raw IS NOT NULL", (kept.id,)):
            _reread(database, kept, filed, told, regrade)


def _reread(database: Database, kept: Kept, filed: Filed, told: Reread, regrade: bool) -> None:
    told.mails += 1
    known = _known(database, kept.id)
    fresh: list[tuple[AggregateReport, Trust]] = []
    for report, trust in zip(filed.contents.reports, filed.trusts, strict=True):
        matches = _matches(known, report)
        if not matches:
            fresh.append((report, trust))
        for match in matches:
            known.remove(match)
            _improve(
                database, kept.id, match, report, _trust(database, match, report, trust if regrade else None), told
            )
    told.lost += len(known)
    _file(database, kept, filed, fresh, told)
    database.run("DELETE FROM unreadable WHERE mail_id = ?", (kept.id,))
    database.insert("unreadable", filing.unreadable_rows(kept.id, filed.contents.unreadable))


def _file(
    database: Database, kept: Kept, filed: Filed, fresh: list[tuple[AggregateReport, Trust]], told: Reread
) -> None:
    """What is new in a mail, and its TLS reports, which may be better proved now."""
    if not fresh and not filed.contents.tls_reports:
        return
    contents = replace(filed.contents, reports=tuple(report for report, _ in fresh), failure_reports=())
    trusts = tuple(trust for _, trust in fresh)
    before = _tls_reports(database)
    (stored,) = filing.add(database, [Filed(kept.mail, contents, trusts, kept.account, filed.tls_trusts)])
    better = stored.tls_outcomes.count(Outcome.STORED) - (_tls_reports(database) - before)
    told.found += (*stored.outcomes, *stored.tls_outcomes).count(Outcome.STORED) - better
    told.better += better
    told.unchanged += stored.tls_outcomes.count(Outcome.DUPLICATE)
    told.conflicts += (*stored.outcomes, *stored.tls_outcomes).count(Outcome.CONFLICT)


def _tls_reports(database: Database) -> int:
    return int(database.rows("SELECT COUNT(*) FROM tls_report")[0][0])


def _known(database: Database, mail_id: int) -> list[dict[str, Any]]:
    columns = (*_HEAD, "superseded_by")
    rows = database.rows(f"SELECT {', '.join(columns)} FROM report WHERE mail_id = ? ORDER BY id", (mail_id,))
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _matches(known: list[dict[str, Any]], report: AggregateReport) -> list[dict[str, Any]]:
    """The rows of a report: copies of it, one for each grade that the mail came with; else the one of its name."""
    wanted = (clean(report.report_id), number(report.begin), number(report.end))
    copies = [one for one in known if one["digest"] == report.digest]
    return copies or [one for one in known if (one["report_id"], one["begin_s"], one["end_s"]) == wanted][-1:]


def _trust(database: Database, old: dict[str, Any], report: AggregateReport, new: Trust | None) -> Trust:
    """The grade of today where there is one that replaces the old one, else the old one."""
    reporter = "" if old["grade"] == Grade.UNVERIFIED else old["reporter"]
    known = Trust(Grade(old["grade"]), reporter, tuple(json.loads(old["trust_reasons"])))
    if new is None or new.grade is known.grade or old["superseded_by"] is not None:
        return known
    worse = GRADES.index(new.grade) > GRADES.index(known.grade)
    if worse and not CERTAIN.intersection(new.reasons):
        return known  # an answer that DNS gave then is missing now
    key = report_key(report, new)
    # The better proved copy is there already, from another mail.
    return known if key != old["key"] and database.rows("SELECT 1 FROM report WHERE key = ?", (key,)) else new


def _improve(
    database: Database, mail_id: int, old: dict[str, Any], report: AggregateReport, trust: Trust, told: Reread
) -> None:
    """Put a new reading in the place of the old one, unless they say the same or the records' time is over."""
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
