"""Looking after a store: is it sound, and what may go.

What is kept for how long is asked per kind of data (``Kind``). Sums outlive what they sum, and heads of reports outlive
their records: they are small, and without them a report that comes again would be counted again.
"""

# ruff: noqa: S608 - what is put into statements here are names of our own; every value is a parameter

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from mailguard.errors import Sentence
from mailguard.store.database import Database
from mailguard.store.encode import day_of
from mailguard.store.statements import ROLLUPS
from mailguard.store.upkeep_bounds import BRINGS_NOTHING
from mailguard.trust.grade import Grade

_EMPTIED: Final = "records_gone_before_day"
"""In ``meta``: reports of earlier days have been emptied, so their sums can no longer be recomputed."""


class Kind(StrEnum):
    """Kinds of data that have a time of their own."""

    RAW = "raw"  # the mails themselves; what was read of them stays
    RECORDS = "records"  # the records of reports; heads and daily sums stay
    UNVERIFIED = "unverified"  # reports, TLS reports too, that nobody vouched for, with all that belongs to them
    SUMS = "sums"  # daily sums, and the records of the same days; heads of reports stay
    TLS = "tls"  # TLS reports
    FAILURES = "failures"  # failure reports, and what is known of mails that brought nothing else
    MAILBOX = "mailbox"  # which mails of a mailbox were looked at; they are then looked at again
    AUDITS = "audits"  # audits kept for comparison


def prune(database: Database, kind: Kind, before: int) -> int:
    """Delete what is older than ``before`` (POSIX seconds; whole UTC days for records and sums); how much it was.

    Inside one transaction of its own. Raises the driver's errors; then nothing was deleted.
    """
    with database.transaction():
        gone = _prune_records(database, day_of(before)) if kind in (Kind.RECORDS, Kind.SUMS) else 0
        if kind is Kind.UNVERIFIED:
            return _prune_unverified(database, before)
        if kind is Kind.FAILURES:
            return _prune_failures(database, before)
        if kind is Kind.RAW:
            return _prune_raw(database, before)
        return gone + sum(database.run(sql, (day_of(before) if of_day else before,)) for sql, of_day in _PLAIN[kind])


_PLAIN: Final[dict[Kind, list[tuple[str, bool]]]] = {
    Kind.RECORDS: [],
    Kind.SUMS: [(f"DELETE FROM {rollup.table} WHERE day < ?", True) for rollup in ROLLUPS],
    Kind.TLS: [("DELETE FROM tls_report WHERE mail_id IN (SELECT id FROM mail WHERE received_at < ?)", False)],
    Kind.MAILBOX: [("DELETE FROM mailbox_mail WHERE remembered_at < ?", False)],
    Kind.AUDITS: [("DELETE FROM audit WHERE as_of < ?", False)],
}
"""What to delete, and whether a day or a moment says what is old."""


def _prune_raw(database: Database, before: int) -> int:
    """A mail of which nothing else is kept is forgotten whole, or anybody could leave a row here for ever."""
    gone = database.run("UPDATE mail SET raw = NULL WHERE received_at < ? AND raw IS NOT NULL", (before,))
    database.run(f"DELETE FROM mail WHERE received_at < ? AND raw IS NULL AND {BRINGS_NOTHING}", (before,))
    return gone


def _prune_records(database: Database, day: int) -> int:
    for table in ("report_selector", "defect"):
        database.run(
            f"DELETE FROM {table} WHERE report_id IN (SELECT id FROM report WHERE day < ?)",
            (day,),
        )
    gone = database.run("DELETE FROM record WHERE report_id IN (SELECT id FROM report WHERE day < ?)", (day,))
    _remember(database, day)
    return gone


def _remember(database: Database, day: int) -> None:
    database.run(
        "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = "
        "CASE WHEN meta.value < excluded.value THEN excluded.value ELSE meta.value END",
        (_EMPTIED, day),
    )


def _prune_unverified(database: Database, before: int) -> int:
    old = (
        "grade = ? AND mail_id IN (SELECT id FROM mail WHERE received_at < ?)",
        (Grade.UNVERIFIED.value, before),
    )
    # What counts is taken out of the sums; where the records are gone, the sums go when their own time is over.
    counted = f"{old[0]} AND superseded_by IS NULL"
    for rollup in ROLLUPS:
        database.run(rollup.add(counted, sign="-"), old[1])
        database.run(f"DELETE FROM {rollup.table} WHERE messages = 0 AND grade = ?", (Grade.UNVERIFIED.value,))
    return sum(database.run(f"DELETE FROM {table} WHERE {old[0]}", old[1]) for table in ("report", "tls_report"))


def _prune_failures(database: Database, before: int) -> int:
    """A mail that brought only failure reports is forgotten with them; its bytes were never kept."""
    of_old_mails = "mail_id IN (SELECT id FROM mail WHERE received_at < ?)"
    ((gone,),) = database.rows(f"SELECT COUNT(*) FROM failure_report WHERE {of_old_mails}", (before,))
    others = ("report", "tls_report", "report_conflict", "tls_conflict")
    nothing_else = " AND ".join(f"NOT EXISTS (SELECT 1 FROM {one} WHERE {one}.mail_id = mail.id)" for one in others)
    database.run(
        "DELETE FROM mail WHERE received_at < ? AND raw IS NULL AND "
        f"EXISTS (SELECT 1 FROM failure_report WHERE failure_report.mail_id = mail.id) AND {nothing_else}",
        (before,),
    )
    database.run(f"DELETE FROM failure_report WHERE {of_old_mails}", (before,))
    return int(gone)


_JUMP_S: Final = 2 * 86_400
_WAIT_S: Final = 7 * 86_400
_LOOKED_AT, _BELIEVED_FROM = "retention_looked_at", "retention_believed_from"


def may_prune(database: Database, now: int) -> bool:
    """Whether a clock that says ``now`` is to be believed when it makes things old; to be asked daily.

    Where it went on by more than two days since it was asked last, or since the last mail came, it may be wrong: then
    nothing is old for a week by that clock, so that somebody can put it right. Back is harmless: it makes things young.
    """
    with database.transaction():
        ((newest,),) = database.rows("SELECT MAX(received_at) FROM mail")
        known = dict(database.rows("SELECT name, value FROM meta WHERE name IN (?, ?)", (_LOOKED_AT, _BELIEVED_FROM)))
        before = known.get(_LOOKED_AT, newest)
        believed_from = known.get(_BELIEVED_FROM, 0)
        if before is not None and now - before > _JUMP_S:
            believed_from = now + _WAIT_S
        elif before is not None and before - now > _JUMP_S:
            believed_from = 0
        for name, value in ((_LOOKED_AT, now), (_BELIEVED_FROM, believed_from)):
            database.run(_SET, (name, value))
    return now >= int(believed_from)


_SET: Final = "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"


def emptied_before(database: Database) -> int:
    """The first day whose reports all still have their records."""
    found = database.rows("SELECT value FROM meta WHERE name = ?", (_EMPTIED,))
    return int(found[0][0]) if found else -(2**62)


def check(database: Database) -> Iterator[Sentence]:
    """What is wrong with a store; nothing for a sound one. Reads everything."""
    yield from database.damage()
    day = emptied_before(database)
    ((found,),) = database.rows(_MISCOUNTED, (day,))
    if found:
        yield Sentence("Reports whose records are not those that were counted: {count}.", count=found)
    ((found,),) = database.rows(_MISPLACED, (day,))
    if found:
        yield Sentence("Reports replaced by what is no copy of them: {count}.", count=found)
    for rollup in ROLLUPS:
        recomputed = rollup.recomputed("report.superseded_by IS NULL AND report.day >= ?")
        stored = f"{rollup.stored} WHERE day >= ?"
        for one, other in ((stored, recomputed), (recomputed, stored)):
            ((found,),) = database.rows(f"SELECT COUNT(*) FROM ({one} EXCEPT {other}) AS differing", (day, day))
            if found:
                told = "Daily sums that differ from the records ({table}): {count}."
                yield Sentence(told, table=rollup.table, count=found)
                break


_MISCOUNTED: Final = (
    "SELECT COUNT(*) FROM report WHERE day >= ? AND (records_kept, messages) <> "
    "(SELECT COUNT(*), CAST(COALESCE(SUM(record.messages), 0) AS BIGINT) FROM record WHERE report_id = report.id)"
)
_MISPLACED: Final = (
    "SELECT COUNT(*) FROM report AS old JOIN report AS better ON better.id = old.superseded_by "
    "WHERE old.day >= ? AND (better.digest <> old.digest OR better.superseded_by = old.id)"
)
