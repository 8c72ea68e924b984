"""What is kept about one client, counted, and deleted whole.

A client is a domain and, unless said otherwise, every name below it. What belongs to it: aggregate reports whose policy
domain it is, with records and daily sums; its policies in TLS reports; failure reports about it; its audits; and the
mails that brought these. What reports about *others* say of it (it received their mail, or signed it) is theirs and
stays; ``mentions`` counts that, so that nobody is told that a name is nowhere when it is somewhere.

A mail can hold reports about several clients. It is nobody's alone: its bytes are exported to none of them, and are
deleted with the first of them, while what was read about the others stays. Which mails those are is told by the rows
that point to them and, for mails whose reports were filed from another copy, by reading them (``worker/whose.py``).
"""

# ruff: noqa: S608 - what is put into statements here are names and marks of our own; every value is a parameter

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from mailguard.errors import OperationError
from mailguard.names import DomainName
from mailguard.store.audits import MAX_BYTES
from mailguard.store.database import Database
from mailguard.store.place import db_command
from mailguard.store.statements import ROLLUPS, marks

_AT_ONCE: Final = 400
_DAY_S: Final = 86_400

KINDS: Final = ("reports", "records", "sums", "tls", "failures", "audits", "mails")
"""Kinds of data about a client, in the order in which they are told."""


@dataclass(frozen=True, slots=True)
class Client:
    """Whose data: a domain, and every name below it unless ``below`` is False."""

    domain: DomainName
    below: bool = True

    def where(self, column: str) -> tuple[str, list[object]]:
        """A condition for a column that holds domain names as we write them, and its values."""
        if not self.below:
            return f"{column} = ?", [str(self.domain)]
        return f"({column} = ? OR {column} LIKE ? ESCAPE '!')", [str(self.domain), "%." + _literal(self.domain)]

    def failures(self) -> tuple[str, list[object]]:
        """The condition for ``failure_report``. One need not say what it is about; then author or signer does."""
        about = [self.where(column) for column in ("reported_domain", "mail_from_domain", "dkim_domain")]
        (reported, values), (mail_from, more), (signed, most) = about
        return f"({reported} OR (reported_domain = '' AND ({mail_from} OR {signed})))", [*values, *more, *most]

    def owns(self, domain: str) -> bool:
        """Whether a name is the client's."""
        return domain == self.domain or (self.below and domain.endswith(f".{self.domain}"))

    def named_in(self, text: str) -> bool:
        """Whether a text names the client. ``myclinic.example.jp`` does not name ``clinic.example.jp``."""
        before = r"(?<![\w-])" if self.below else r"(?<![\w.-])"
        return bool(re.search(rf"{before}{re.escape(self.domain)}(?![\w-]|\.\w)", text, re.IGNORECASE | re.ASCII))


@dataclass(frozen=True, slots=True)
class Mails:
    """Numbers of mails in order: ``own`` hold nothing of others, ``shared`` hold reports about others too."""

    own: tuple[int, ...] = ()
    shared: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Holding:
    """How much there is of a kind, and from when to when (POSIX seconds; None where there is nothing)."""

    kind: str
    count: int
    first: int | None = None
    last: int | None = None


@contextmanager
def asking(database: Database) -> Iterator[None]:
    """Trouble with the database becomes an OperationError."""
    try:
        yield
    except database.trouble as error:
        raise OperationError(
            "The database {place} could not be asked ({reason}); try again, then run: {command}",
            place=database.place,
            reason=database.why(error),
            command=db_command("check", database.place),
        ) from error


def names(database: Database, client: Client) -> list[str]:
    """Every name of the client that something is kept under."""
    found: set[str] = set()
    for table, column in _NAMED:
        where, values = client.where(column)
        found.update(name for (name,) in database.rows(f"SELECT DISTINCT {column} FROM {table} WHERE {where}", values))
    return sorted(found)


_NAMED: Final = (
    *(("report", "policy_domain"), ("rollup_day", "policy_domain"), ("tls_policy", "domain")),
    *(("failure_report", "reported_domain"), ("audit", "domain")),
)


def holdings(database: Database, client: Client, mails: Mails) -> tuple[Holding, ...]:
    """What is kept, in the order of ``KINDS``. The driver's errors may be raised, here and below."""
    about = _About.of(client)
    ((days, first_day, last_day),) = database.rows(*_spans("rollup_day", "day", "day", about.policy_domain))
    ((sources, *_),) = database.rows(*_spans("rollup_source", "day", "day", about.policy_domain))
    ((records,),) = database.rows(f"SELECT COUNT(*) FROM record WHERE {about.of_reports[0]}", about.of_reports[1])
    received = "failure_report JOIN mail ON mail.id = failure_report.mail_id"
    return (
        Holding("reports", *database.rows(*_spans("report", "begin_s", "end_s", about.policy_domain))[0]),
        Holding("records", records),
        Holding("sums", days + sources, _moment(first_day), _moment(last_day)),
        Holding("tls", *database.rows(*_spans("tls_report", "begin_s", "end_s", about.tls_reports))[0]),
        Holding("failures", *database.rows(*_spans(received, "received_at", "received_at", about.failures))[0]),
        Holding("audits", *database.rows(*_spans("audit", "as_of", "as_of", about.audits))[0]),
        _mails_held(database, mails),
    )


def linked(database: Database, client: Client) -> Mails:
    """The mails that something of the client came with, as the rows say."""
    about = _About.of(client)
    ours = _numbers(database, about.mails())
    others = ours & _numbers(database, about.mails(of_others=True))
    return Mails(tuple(sorted(ours - others)), tuple(sorted(others)))


def loose(database: Database) -> list[int]:
    """Mails to which no row about any domain points: copies of what had come before, and what could not be read."""
    pointing = (
        *(f"SELECT 1 FROM {table} AS one WHERE one.mail_id = mail.id" for table in _POINTING),
        "SELECT 1 FROM tls_report JOIN tls_policy ON tls_policy.report_id = tls_report.id WHERE mail_id = mail.id",
    )
    nothing = " AND ".join(f"NOT EXISTS ({one})" for one in pointing)
    return [number for (number,) in database.rows(f"SELECT id FROM mail WHERE {nothing} ORDER BY id")]


_POINTING: Final = ("report", "report_conflict", "tls_conflict", "failure_report")


def told_of(database: Database, mail_id: int) -> str:
    """Where a mail lay and the names of files in it that could not be read: all there is once its bytes are gone."""
    places = database.rows(
        "SELECT origin FROM mail WHERE id = ? UNION ALL SELECT place FROM unreadable WHERE mail_id = ?",
        (mail_id, mail_id),
    )
    return "\n".join(place for (place,) in places)


def delete(database: Database, client: Client, mails: Mails, seen: Sequence[Holding]) -> None:
    """Delete all of it in one transaction; on the disk on return. Then ``Database.scrub``.

    ``seen`` is what was counted when somebody agreed to this. Raises OperationError where there is more or less by
    now, the driver's errors where the database will not; in both cases nothing was deleted.
    """
    about = _About.of(client)
    with database.erasing():
        by_rows = linked(database, client)
        if tuple(seen) != holdings(database, client, mails) or not set(by_rows.own) <= {*mails.own, *mails.shared}:
            raise OperationError(
                "Something about {domain} came in meanwhile; nothing was deleted. Try again.", domain=client.domain
            )
        for sql, values in about.deletions():
            database.run(sql, values)
        for piece in _pieces(mails.own):
            database.run(f"DELETE FROM mail WHERE id IN ({marks(len(piece))})", piece)
        for mail_id in mails.shared:
            _cut_out(database, client, mail_id)


def mentions(database: Database, client: Client) -> int:
    """Rows that are not the client's and name it: what reports about others, and their mails and audits, say of it.

    Asked after deleting. Bytes of mails of others are not looked into. Reads much.
    """
    return sum(_naming(database, client, table, columns) for table, columns in _TEXTS) + sum(
        1 for text in _audit_texts(database) if client.named_in(text)
    )


_TEXTS: Final = (
    ("record", ("header_from", "envelope_from", "envelope_to", "reasons", "auth_results")),
    ("report", ("reporter", "org_name", "email", "extra_contact_info", "report_id", "errors")),
    ("report_selector", ("domain",)),
    ("defect", ("place", "detail")),
    ("mail", ("origin", "helo", "mail_from", "rcpt_to", "authentication")),
    ("unreadable", ("place",)),
    ("tls_report", ("reporter", "organization", "contact", "report_id", "defects")),
    ("tls_policy", ("strings", "mx", "failures")),
    ("failure_report", ("mail_from_domain", "dkim_domain", "reporting_mta", "reporter")),
)


@dataclass(frozen=True, slots=True)
class _About:
    """Conditions with their values, per table, under which a row is the client's."""

    policy_domain: tuple[str, list[object]]
    policies: tuple[str, list[object]]
    failures: tuple[str, list[object]]
    audits: tuple[str, list[object]]

    @classmethod
    def of(cls, client: Client) -> _About:
        domain = client.where("domain")
        return cls(client.where("policy_domain"), domain, client.failures(), domain)

    @property
    def of_reports(self) -> tuple[str, list[object]]:
        return f"report_id IN (SELECT id FROM report WHERE {self.policy_domain[0]})", self.policy_domain[1]

    @property
    def tls_reports(self) -> tuple[str, list[object]]:
        return f"tls_report.id IN (SELECT report_id FROM tls_policy WHERE {self.policies[0]})", self.policies[1]

    def mails(self, *, of_others: bool = False) -> tuple[str, list[object]]:
        """Mails with something of the client's, or of others."""
        no = "NOT " if of_others else ""
        reports = f"SELECT id FROM report WHERE {no}{self.policy_domain[0]}"
        tls = f"SELECT report_id FROM tls_policy WHERE {no}{self.policies[0]}"
        asked = (
            (f"SELECT mail_id FROM report WHERE {no}{self.policy_domain[0]}", self.policy_domain[1]),
            (f"SELECT mail_id FROM report_conflict WHERE report_id IN ({reports})", self.policy_domain[1]),
            (f"SELECT mail_id FROM tls_report WHERE id IN ({tls})", self.policies[1]),
            (f"SELECT mail_id FROM tls_conflict WHERE report_id IN ({tls})", self.policies[1]),
            (f"SELECT mail_id FROM failure_report WHERE {no}{self.failures[0]}", self.failures[1]),
        )
        return " UNION ".join(sql for sql, _ in asked), [value for _, values in asked for value in values]

    def deletions(self) -> Iterator[tuple[str, list[object]]]:
        """All rows but those of mails; what belongs to a row goes with it."""
        ours, values = self.policies
        yield f"DELETE FROM failure_report WHERE {self.failures[0]}", self.failures[1]
        # Of a TLS report about several domains only these policies go.
        others = f"SELECT report_id FROM tls_policy WHERE NOT {ours}"
        yield f"DELETE FROM tls_report WHERE {self.tls_reports[0]} AND id NOT IN ({others})", [*values, *values]
        yield f"DELETE FROM tls_policy WHERE {ours}", values
        yield f"DELETE FROM report WHERE {self.policy_domain[0]}", self.policy_domain[1]
        for rollup in ROLLUPS:
            yield f"DELETE FROM {rollup.table} WHERE {self.policy_domain[0]}", self.policy_domain[1]
        yield f"DELETE FROM audit WHERE {self.audits[0]}", self.audits[1]


def _cut_out(database: Database, client: Client, mail_id: int) -> None:
    """Of a mail that others have reports in, what could tell of the client: its bytes, and names of files."""
    database.run("UPDATE mail SET raw = NULL WHERE id = ?", (mail_id,))
    for (origin,) in database.rows("SELECT origin FROM mail WHERE id = ?", (mail_id,)):
        if client.named_in(origin):
            database.run("UPDATE mail SET origin = '' WHERE id = ?", (mail_id,))
    for n, place in database.rows("SELECT n, place FROM unreadable WHERE mail_id = ?", (mail_id,)):
        if client.named_in(place):
            database.run("DELETE FROM unreadable WHERE mail_id = ? AND n = ?", (mail_id, n))


def _mails_held(database: Database, mails: Mails) -> Holding:
    moments = [
        moment
        for piece in _pieces((*mails.own, *mails.shared))
        for (moment,) in database.rows(f"SELECT received_at FROM mail WHERE id IN ({marks(len(piece))})", piece)
    ]
    return Holding("mails", len(moments), min(moments, default=None), max(moments, default=None))


def _naming(database: Database, client: Client, table: str, columns: Sequence[str]) -> int:
    """Rows that name the client; the database finds what could, and we look again."""
    any_of = " OR ".join(f"LOWER({column}) LIKE ? ESCAPE '!'" for column in columns)
    pattern = f"%{_literal(client.domain)}%"
    rows = database.stream(f"SELECT {', '.join(columns)} FROM {table} WHERE {any_of}", [pattern] * len(columns))
    return sum(1 for row in rows if any(client.named_in(text) for text in row if text))


def _audit_texts(database: Database) -> Iterator[str]:
    for (packed,) in database.stream("SELECT document FROM audit"):
        yield zlib.decompressobj().decompress(bytes(packed), MAX_BYTES).decode("utf-8", "replace")


def load_audits(database: Database, client: Client) -> Iterator[dict[str, Any]]:
    """The documents of the client's audits, one by one."""
    where, values = client.where("domain")
    for (packed,) in database.stream(f"SELECT document FROM audit WHERE {where} ORDER BY domain, as_of", values):
        document: dict[str, Any] = json.loads(zlib.decompressobj().decompress(bytes(packed), MAX_BYTES))
        yield document


def _spans(table: str, first: str, last: str, about: tuple[str, list[object]]) -> tuple[str, list[object]]:
    return f"SELECT COUNT(*), MIN({first}), MAX({last}) FROM {table} WHERE {about[0]}", about[1]


def _numbers(database: Database, asked: tuple[str, list[object]]) -> set[int]:
    return {number for (number,) in database.rows(*asked)}


def _moment(day: int | None) -> int | None:
    return None if day is None else day * _DAY_S


def _literal(text: str) -> str:
    """A text inside a pattern of LIKE, standing for itself."""
    return re.sub(r"([!%_])", r"!\1", text)


def _pieces(numbers: Sequence[int]) -> Iterable[Sequence[int]]:
    return (numbers[at : at + _AT_ONCE] for at in range(0, len(numbers), _AT_ONCE))
