"""Putting many mails and their reports into the database at once.

First everything is decided, from what the database knows and from what comes earlier in the same batch; then the rows
are written, table by table. All of it in one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final

from mailguard.feedback.report import AggregateReport, Unreadable
from mailguard.store.database import Database
from mailguard.store.encode import (
    Row,
    clean,
    defect_rows,
    mail_row,
    messages_of,
    record_rows,
    report_key,
    report_row,
    selector_rows,
)
from mailguard.store.other_reports import OtherReports
from mailguard.store.statements import (
    COUNT_IN,
    COUNT_OUT,
    LAST,
    MAILS,
    NOTE_CONFLICT,
    REPORTS,
    SUPERSEDE,
    marks,
)
from mailguard.store.values import GRADES, Filed, Outcome, Stored
from mailguard.trust.grade import Grade, Trust

_AT_ONCE: Final = 400
"""Values in one list of a query."""


def add(database: Database, batch: Sequence[Filed]) -> tuple[Stored, ...]:
    """Store mails with their reports inside the caller's transaction."""
    plan = _Plan(database, batch)
    stored = tuple(map(plan.take, batch, plan.digests, plan.keys))
    plan.carry_out()
    return stored


@dataclass(slots=True)
class _Known:
    """A report that is in the database, or will be when the plan has been carried out."""

    id: int
    digest: bytes
    rank: int  # of its grade; 0 is the best
    superseded: bool
    emptied: bool  # its records' time is over


@dataclass(slots=True)
class _New:
    """A report to be inserted."""

    id: int
    mail_id: int
    key: bytes
    report: AggregateReport
    trust: Trust


@dataclass(slots=True)
class _Rows:
    mails: list[Row] = field(default_factory=list)
    unreadable: list[Row] = field(default_factory=list)
    reports: list[_New] = field(default_factory=list)
    conflicts: list[Row] = field(default_factory=list)
    superseded: list[tuple[int, int]] = field(default_factory=list)  # old, new


class _Plan:
    """What to write for one batch."""

    def __init__(self, database: Database, batch: Sequence[Filed]) -> None:
        self._database = database
        self.digests = [filed.mail.digest for filed in batch]
        self._mails: dict[bytes, int] = dict(_look_up(database, MAILS, self.digests))
        self._by_key: dict[bytes, _Known] = {}
        self._by_digest: dict[bytes, list[_Known]] = {}
        self.keys = [
            [report_key(*pair) for pair in zip(filed.contents.reports, filed.trusts, strict=True)] for filed in batch
        ]
        self._load_reports([report.digest for filed in batch for report in filed.contents.reports])
        ((self._last_mail,),) = database.rows(LAST.format(table="mail"))
        ((self._last_report,),) = database.rows(LAST.format(table="report"))
        self._first_new = self._last_report + 1
        self._others = OtherReports(database, batch)
        self._rows = _Rows()

    def take(self, filed: Filed, digest: bytes, keys: Sequence[bytes]) -> Stored:
        """Decide what becomes of a mail."""
        mail_id = self._mails.get(digest)
        new = mail_id is None
        if mail_id is None:
            mail_id = self._mails[digest] = self._last_mail = self._last_mail + 1
            self._rows.mails.append(mail_row(mail_id, filed, digest))
            self._rows.unreadable += unreadable_rows(mail_id, filed.contents.unreadable)
            self._others.take_failures(mail_id, filed)
        # A mail that is known may come again better proved, so its reports are looked at all the same.
        outcomes = [
            self._take_report(mail_id, key, report, trust)
            for key, report, trust in zip(keys, filed.contents.reports, filed.trusts, strict=True)
        ]
        return Stored(mail_id, new, tuple(outcomes), self._others.take_tls(mail_id, filed))

    def carry_out(self) -> None:
        """Write everything."""
        database, rows = self._database, self._rows
        database.insert("mail", rows.mails)
        database.insert("unreadable", rows.unreadable)
        self._others.carry_out()
        insert_reports(database, [(new.id, new.mail_id, new.key, new.report, new.trust) for new in rows.reports])
        if rows.reports:
            for statement in COUNT_IN:
                database.run(statement, (self._first_new, self._last_report))
        for old, new_id in rows.superseded:
            count_out(database, old)
            database.run(SUPERSEDE, (new_id, old))
        for conflict in rows.conflicts:
            database.run(NOTE_CONFLICT, conflict)

    def _load_reports(self, digests: Sequence[bytes]) -> None:
        found: dict[int, tuple[Any, ...]] = {}
        keys_of_all = list(chain.from_iterable(self.keys))
        for keys, contents in zip(_pieces(keys_of_all), _pieces(digests), strict=True):
            sql = REPORTS.format(marks=marks(len(keys)))
            found.update((row[0], row) for row in self._database.rows(sql, (*keys, *contents)))
        for number, key, digest, grade, superseded, emptied in found.values():
            known = _Known(number, digest, GRADES.index(Grade(grade)), bool(superseded), bool(emptied))
            self._remember(key, known)

    def _remember(self, key: bytes, known: _Known) -> None:
        self._by_key[key] = known
        self._by_digest.setdefault(known.digest, []).append(known)

    def _take_report(self, mail_id: int, key: bytes, report: AggregateReport, trust: Trust) -> Outcome:
        rank = GRADES.index(trust.grade)
        copies = [known for known in self._by_digest.get(report.digest, ()) if not known.superseded]
        # Before a look at its key, which it has not taken: another report may have come under that key since.
        # Roll-ups of a copy whose records are gone cannot be taken back, so nothing takes its place any more.
        if any(known.rank < rank or known.emptied for known in copies):
            return Outcome.DUPLICATE
        same = self._by_key.get(key)
        if same is not None and same.digest == report.digest:
            return Outcome.DUPLICATE
        if same is not None:
            row = (same.id, report.digest, mail_id, len(report.records), messages_of(report))
            self._rows.conflicts.append(row)
            return Outcome.CONFLICT
        self._last_report += 1
        self._rows.reports.append(_New(self._last_report, mail_id, key, report, trust))
        self._remember(key, _Known(self._last_report, report.digest, rank, superseded=False, emptied=False))
        for known in copies:
            if known.rank > rank:  # else it is another proved sender's
                known.superseded = True
                self._rows.superseded.append((known.id, self._last_report))
        return Outcome.STORED


def unreadable_rows(mail_id: int, files: Sequence[Unreadable]) -> list[Row]:
    """For ``unreadable``."""
    return [(mail_id, n, clean(file.place), clean(file.reason)) for n, file in enumerate(files, start=1)]


def insert_reports(database: Database, reports: Sequence[tuple[int, int, bytes, AggregateReport, Trust]]) -> None:
    """Insert reports (id, mail, key, report, trust) and all that belongs to them; roll-ups are the caller's."""
    database.insert("report", (report_row(*one) for one in reports))
    insert_details(database, [(number, report) for number, _, _, report, _ in reports])


def insert_details(database: Database, reports: Sequence[tuple[int, AggregateReport]]) -> None:
    """Insert what belongs to reports (id, report) that are there."""
    database.insert("record", chain.from_iterable(record_rows(number, one.records) for number, one in reports))
    database.insert(
        "report_selector", chain.from_iterable(selector_rows(number, one.records) for number, one in reports)
    )
    database.insert("defect", chain.from_iterable(defect_rows(number, one) for number, one in reports))


def count_out(database: Database, report_id: int) -> None:
    """Take a report's records out of the roll-ups."""
    for subtract, drop_empty in COUNT_OUT:
        database.run(subtract, (report_id,))
        database.run(drop_empty, (report_id,))


def _look_up(database: Database, sql: str, values: Sequence[bytes]) -> Iterator[tuple[Any, ...]]:
    for piece in _pieces(values):
        yield from database.rows(sql.format(marks=marks(len(piece))), piece)


def _pieces(values: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    return (values[at : at + _AT_ONCE] for at in range(0, len(values), _AT_ONCE))
