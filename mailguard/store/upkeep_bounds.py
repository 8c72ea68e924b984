"""What strangers can fill a store with, and letting the oldest of it go.

Anybody may send to a report address. Three kinds of what may come from anybody are counted, each by itself
(``Holding``): mails without a report, the raw mails of reports that are not verified, and those reports with their
records. A mail of which a report is verified, or contradicts another, is in none of them. What is authenticated goes
after what nothing proves; it is counted all the same, since a domain of one's own to send from costs little.
"""

# ruff: noqa: S608 - what is put into statements here are names of our own; every value is a parameter

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from mailguard.store.database import Database
from mailguard.store.statements import ROLLUPS, marks
from mailguard.trust.grade import Grade


class Holding(StrEnum):
    """What is counted and bounded."""

    REPORTLESS = "reportless"  # mails of which no report is stored
    UNVERIFIED_RAW = "unverified_raw"  # mails of which no report is verified; only the raw mail goes
    UNVERIFIED = "unverified"  # those reports with all that belongs to them, unless nobody checked who sent them


@dataclass(frozen=True, slots=True)
class Held:
    """So much of a holding: mails, the bytes that they take, and the number of the last mail that was looked at.

    Bytes are those of texts and mails with an allowance for the rest of a row: once or twice what SQLite takes.
    """

    last: int
    mails: int
    size: int


def held_since(database: Database, holding: Holding, mail_id: int) -> Held:
    """How much there is in mails with higher numbers than this. Reads all of it."""
    ((last,),) = database.rows("SELECT COALESCE(MAX(id), 0) FROM mail")
    one = _KINDS[holding]
    query = (
        f"SELECT COUNT(*), COALESCE(SUM({_taken(database, one)}), 0) FROM mail WHERE id > ? AND id <= ? AND {one.which}"
    )
    ((mails, size),) = database.rows(query, (mail_id, last))
    return Held(int(last), int(mails), int(size))


def make_room(database: Database, holding: Holding, size: int) -> Held:
    """Let go of a holding until at least ``size`` bytes are free; what it came to.

    The oldest goes first; of mails without a report those in which something could not be read go last, before them
    those of proved senders. In transactions of about 64 MiB, so that the database's log does not grow with what it is
    to make room for.
    """
    mails = freed = 0
    while freed < size:
        with database.transaction():
            batch = _next_to_go(database, _KINDS[holding], min(size - freed, _TRANSACTION_BYTES))
            _forget(database, holding, list(batch))
        if not batch:
            break
        mails, freed = mails + len(batch), freed + sum(batch.values())
    return Held(0, mails, freed)


_LOOKED_UP: Final = 100_000
_PIECE: Final = 400
_TRANSACTION_BYTES: Final = 64 * 1024**2


def _next_to_go(database: Database, one: _Kind, size: int) -> dict[int, int]:
    """The first mails that make up so many bytes, with what each takes; fewer where there are too many to look up."""
    query = f"SELECT id FROM mail WHERE {one.which} ORDER BY {one.order} LIMIT {_LOOKED_UP}"
    numbers = [number for (number,) in database.rows(query, one.values)]
    batch: dict[int, int] = {}
    held = 0
    for piece in _pieces(numbers):
        query = f"SELECT id, {_taken(database, one)} FROM mail WHERE id IN ({marks(len(piece))})"
        taken = {number: int(size) for number, size in database.rows(query, piece)}
        for number in piece:
            if held >= size:
                return batch
            batch[number] = taken[number]
            held += taken[number]
    return batch


def _forget(database: Database, holding: Holding, numbers: Sequence[int]) -> None:
    """Inside the caller's transaction. What belongs to a mail goes with it."""
    for piece in _pieces(numbers):
        of_these = f"IN ({marks(len(piece))})"
        if holding is Holding.UNVERIFIED_RAW:
            database.run(f"UPDATE mail SET raw = NULL WHERE id {of_these}", piece)
            continue
        if holding is Holding.UNVERIFIED:
            for rollup in ROLLUPS:
                counted = f"report.mail_id {of_these} AND report.superseded_by IS NULL"
                database.run(rollup.add(counted, sign="-"), piece)
        database.run(f"DELETE FROM mail WHERE id {of_these}", piece)
    if holding is Holding.UNVERIFIED:
        for rollup in ROLLUPS:
            database.run(f"DELETE FROM {rollup.table} WHERE messages = 0 AND grade <> ?", (Grade.VERIFIED.value,))


def _pieces(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    return (numbers[at : at + _PIECE] for at in range(0, len(numbers), _PIECE))


def _has(table: str, and_that: str = "1 = 1") -> str:
    return f"EXISTS (SELECT 1 FROM {table} WHERE {table}.mail_id = mail.id AND {and_that})"


BRINGS_NOTHING: Final = " AND ".join(
    f"NOT {_has(table)}" for table in ("report", "tls_report", "failure_report", "report_conflict", "tls_conflict")
)
"""Nothing of what stands in a mail is stored or noted."""

_NOT_CHECKED: Final = """trust_reasons = '["not-checked"]'"""
_BELIEVED: Final = f"grade = '{Grade.VERIFIED}'"
_KNOWN_SENDER: Final = f"grade = '{Grade.AUTHENTICATED}'"

# From the reports to their mails: that is short where few are unverified, however many mails there are. What stands in
# the place of another report keeps that one out of the sums, so it stays.
_UNVERIFIED: Final = (
    f"id IN (SELECT mail_id FROM report WHERE NOT {_BELIEVED} "
    f"UNION SELECT mail_id FROM tls_report WHERE NOT {_BELIEVED}) AND "
    + " AND ".join(
        f"NOT {one}"
        for one in (
            *(_has("report", _BELIEVED), _has("tls_report", _BELIEVED), _has("failure_report")),
            *(_has("report_conflict"), _has("tls_conflict")),
            _has("report", "EXISTS (SELECT 1 FROM report AS older WHERE older.superseded_by = report.id)"),
        )
    )
)
_PROVED_LAST: Final = f"{_has('report', _KNOWN_SENDER)} OR {_has('tls_report', _KNOWN_SENDER)}"
_CHECKED: Final = " AND ".join(f"NOT {_has(table, _NOT_CHECKED)}" for table in ("report", "tls_report"))


@dataclass(frozen=True, slots=True)
class _Kind:
    """``which`` mails, in which ``order`` they go (with its ``values``), and what of a mail is counted."""

    which: str
    order: str = "id"
    values: tuple[str, ...] = ()
    raw: bool = True
    row: bool = True
    reports: bool = False


_KINDS: Final[Mapping[Holding, _Kind]] = {
    Holding.REPORTLESS: _Kind(
        f"raw IS NOT NULL AND {BRINGS_NOTHING}",
        f"{_has('unreadable')}, CASE WHEN authentication LIKE ? THEN 1 ELSE 0 END, id",
        # ``authentication`` is JSON, so no stranger's text in it holds a bare quotation mark.
        ('%"dmarc":"pass"%',),
    ),
    Holding.UNVERIFIED_RAW: _Kind(f"raw IS NOT NULL AND {_UNVERIFIED}", f"{_PROVED_LAST}, id", row=False),
    Holding.UNVERIFIED: _Kind(f"{_UNVERIFIED} AND {_CHECKED}", f"{_PROVED_LAST}, id", raw=False, reports=True),
}

_PARTS: Final[Mapping[str, tuple[int, str]]] = {
    "report": (
        400,
        "org_name email extra_contact_info report_id policy_domain reporter trust_reasons generator errors",
    ),
    "tls_report": (400, "organization contact report_id reporter trust_reasons defects"),
    "unreadable": (30, "place reason"),
}
"""What belongs to a mail: bytes of a row beside its texts, and the texts."""

_PARTS_OF_REPORTS: Final[Mapping[str, tuple[str, int, str]]] = {
    # Each record may have a row of its own in the daily sums, under its report's domain and reporter.
    "record": (
        "report",
        120,
        "source_ip header_from envelope_from envelope_to reasons auth_results report.policy_domain report.reporter",
    ),
    "report_selector": ("report", 30, "domain selector"),
    "defect": ("report", 20, "kind place detail"),
    "tls_policy": ("tls_report", 40, "type domain strings mx failures"),
}


def _taken(database: Database, one: _Kind) -> str:
    """SQL for the bytes that are counted of a mail."""
    row = [f"500 + {_octets(database, 'rcpt_to authentication mail_from helo origin', 'mail')}"] if one.row else []
    raw = ["LENGTH(raw)"] if one.raw else []
    return " + ".join((*row, *raw, *(_of_reports(database) if one.reports else ())))


def _of_reports(database: Database) -> Iterator[str]:
    for table, (fixed, texts) in _PARTS.items():
        total = f"SUM({fixed} + {_octets(database, texts, table)})"
        yield f"(SELECT COALESCE({total}, 0) FROM {table} WHERE {table}.mail_id = mail.id)"
    for table, (owner, fixed, texts) in _PARTS_OF_REPORTS.items():
        total = f"SUM({fixed} + {_octets(database, texts, table)})"
        joined = f"{owner} JOIN {table} ON {table}.report_id = {owner}.id"
        yield f"(SELECT COALESCE({total}, 0) FROM {joined} WHERE {owner}.mail_id = mail.id)"


def _octets(database: Database, texts: str, table: str) -> str:
    columns = (column if "." in column else f"{table}.{column}" for column in texts.split())
    return " + ".join(f"COALESCE({database.octets.format(column)}, 0)" for column in columns)
