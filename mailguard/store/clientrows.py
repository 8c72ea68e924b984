"""Everything about a client as rows: what an export holds. In an order that depends on nothing but the data."""

# ruff: noqa: S608 - what is put into statements here are names and marks of our own; every value is a parameter

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from mailguard.store.clients import Client, Mails
from mailguard.store.database import Database
from mailguard.store.encode import unpack
from mailguard.store.statements import COLUMNS, ROLLUPS, marks

Row = dict[str, Any]

_JSON: Final = frozenset({"trust_reasons", "errors", "reasons", "auth_results", "defects", "strings", "mx", "failures"})
_MOMENTS: Final = frozenset({"begin_s", "end_s", "received_at", "arrival"})
_EPOCH: Final = date(1970, 1, 1)
_AT_ONCE: Final = 100

_MAIL: Final = tuple(column for column in COLUMNS["mail"] if column != "raw")


@dataclass(frozen=True, slots=True)
class Listing:
    """One table of an export: its name, its columns, and how to ask for its rows."""

    name: str
    columns: tuple[str, ...]
    sql: str
    values: Sequence[object]


def listings(client: Client) -> Iterator[Listing]:
    """All tables of an export but those of mails, in their order."""
    about, values = client.where("policy_domain")
    of_reports = f"report_id IN (SELECT id FROM report WHERE {about})"
    yield _listing("reports", "report", about, values, "id", more=("superseded_by",))
    yield _listing("records", "record", of_reports, values, "report_id, n")
    yield _listing("selectors", "report_selector", of_reports, values, "report_id, domain, selector")
    yield _listing("defects", "defect", of_reports, values, "report_id, n")
    yield _listing("conflicts", "report_conflict", of_reports, values, "report_id, digest")
    for rollup, name in zip(ROLLUPS, ("sums-by-day", "sums-by-source"), strict=True):
        keys = ", ".join(rollup.names)
        columns = (*rollup.names, *rollup.sums)
        sql = f"SELECT {', '.join(columns)} FROM {rollup.table} WHERE {about} ORDER BY {keys}"
        yield Listing(name, columns, sql, values)
    ours, values = client.where("domain")
    of_tls = f"id IN (SELECT report_id FROM tls_policy WHERE {ours})"
    yield _listing("tls-reports", "tls_report", of_tls, values, "id")
    of_policies = f"report_id IN (SELECT report_id FROM tls_policy WHERE {ours})"
    yield _listing("tls-conflicts", "tls_conflict", of_policies, values, "report_id, digest")
    yield _listing("tls-policies", "tls_policy", ours, values, "report_id, n")
    failures, values = client.failures()
    yield _listing("failure-reports", "failure_report", failures, values, "id")


def rows(database: Database, listing: Listing) -> Iterator[Row]:
    """The rows of a table, one by one."""
    for row in database.stream(listing.sql, listing.values):
        yield readable(zip(listing.columns, row, strict=True))


MAIL_COLUMNS: Final = (*_MAIL, "file", "why_no_file")


def mail_rows(database: Database, mails: Mails) -> Iterator[Row]:
    """How each mail came; ``file`` is its name in the export. Where its bytes are not in it, why."""
    shared = frozenset(mails.shared)
    for number in sorted((*mails.own, *mails.shared)):
        columns = f"{', '.join(_MAIL)}, raw IS NULL"
        for *row, gone in database.rows(f"SELECT {columns} FROM mail WHERE id = ?", (number,)):
            told = readable(zip(_MAIL, row, strict=True))
            why = "holds-reports-about-others" if number in shared else "not-kept" if gone else ""
            yield {**told, "file": "" if why else mail_file(number), "why_no_file": why}


def mail_file(number: int) -> str:
    """The name of a mail in an export."""
    return f"mails/{number:010d}.eml"


def unreadable_rows(database: Database, mails: Mails) -> Iterator[Row]:
    """Files in the client's mails that could not be read."""
    columns = COLUMNS["unreadable"]
    for at in range(0, len(mails.own), _AT_ONCE):
        piece = mails.own[at : at + _AT_ONCE]
        sql = f"SELECT {', '.join(columns)} FROM unreadable WHERE mail_id IN ({marks(len(piece))}) ORDER BY mail_id, n"
        yield from (dict(zip(columns, row, strict=True)) for row in database.rows(sql, piece))


def raw_mails(database: Database, mails: Mails) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every mail that is the client's alone and is kept."""
    for number in mails.own:
        for (packed,) in database.rows("SELECT raw FROM mail WHERE id = ? AND raw IS NOT NULL", (number,)):
            yield mail_file(number), unpack(bytes(packed))


def readable(columns: Iterable[tuple[str, Any]]) -> Row:
    """A row for people: digests in hexadecimal digits, times and days in ISO 8601, JSON unpacked."""
    return {_name(column): _value(column, value) for column, value in columns}


def _listing(
    name: str, table: str, where: str, values: Sequence[object], order: str, *, more: tuple[str, ...] = ()
) -> Listing:
    columns = (*COLUMNS[table], *more)
    return Listing(
        name, columns, f"SELECT {', '.join(columns)} FROM {table} WHERE {where} ORDER BY {order}", tuple(values)
    )


def names_of(listing: Listing) -> tuple[str, ...]:
    """The columns as ``rows`` names them."""
    return tuple(map(_name, listing.columns))


def _name(column: str) -> str:
    return column.removesuffix("_s")


def _value(column: str, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if column in _MOMENTS:
        return _moment(value)
    if column == "day":
        return _day(value)
    return json.loads(value) if column in _JSON else value


def _moment(seconds: int) -> str | int:
    """A time; a number that is none stays a number, for a stranger wrote it."""
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError, OSError):
        return seconds


def _day(number: int) -> str | int:
    try:
        return (_EPOCH + timedelta(days=number)).isoformat()
    except OverflowError:
        return number
