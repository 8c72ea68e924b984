"""The outbox: every message once, what became of it, and who gets nothing more. One SQLite file.

Every change is durable when its method returns (``synchronous=FULL``). ``Outbox.open`` takes the lock, so that two runs
never send side by side; ``Outbox.read`` takes none and changes nothing.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

from mailguard.errors import OperationError, UsageError, system_reason
from mailguard.render.safe import brief
from mailguard.sending.values import Draft, Event, Message, State, Stop, Stopped, key_of

_VERSION: Final = 1
_SCHEMA: Final = """
CREATE TABLE message (
    id INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    number TEXT NOT NULL,
    domain TEXT NOT NULL,
    recipient TEXT NOT NULL,
    clinic TEXT NOT NULL,
    subject TEXT NOT NULL,
    message_id TEXT NOT NULL UNIQUE,
    token TEXT NOT NULL UNIQUE,
    fingerprint TEXT NOT NULL,
    raw BLOB NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'sending', 'sent', 'failed', 'bounced', 'unclear')),
    attempts INTEGER NOT NULL DEFAULT 0,
    prepared_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    answer TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX message_state ON message (state, id);
CREATE INDEX message_domain ON message (domain);
CREATE TABLE event (
    id INTEGER PRIMARY KEY,
    message_id INTEGER NOT NULL REFERENCES message (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    what TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;
CREATE INDEX event_message ON event (message_id, id);
CREATE TABLE stopped (
    address TEXT PRIMARY KEY,
    reason TEXT NOT NULL CHECK (reason IN ('opt-out', 'bounced', 'refused')),
    at INTEGER NOT NULL,
    detail TEXT NOT NULL
) STRICT;
"""
_MOST_DETAIL: Final = 300


_PUT: Final = """
INSERT INTO message (key, kind, number, recipient, domain, clinic, subject, message_id, token, fingerprint, raw,
    state, prepared_at, changed_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?)
ON CONFLICT (key) DO UPDATE SET domain = excluded.domain, clinic = excluded.clinic, subject = excluded.subject,
    message_id = excluded.message_id, token = excluded.token, fingerprint = excluded.fingerprint, raw = excluded.raw,
    prepared_at = excluded.prepared_at, changed_at = excluded.changed_at
WHERE message.state = 'pending'
"""


_COLUMNS: Final = (
    "id, kind, number, domain, recipient, clinic, subject, message_id, token, fingerprint, state, attempts, "
    "prepared_at, changed_at, answer"
)


_STOP: Final = """
INSERT INTO stopped (address, reason, at, detail) VALUES (?, ?, ?, ?)
ON CONFLICT (address) DO UPDATE SET reason = excluded.reason, at = excluded.at, detail = excluded.detail
WHERE stopped.reason <> 'opt-out'
"""


class Outbox:
    """Use as a context manager. For one thread. Every method may raise OperationError where the disk fails."""

    def __init__(self, connection: sqlite3.Connection, path: Path, lock: int | None) -> None:
        self._db = connection
        self._path = path
        self._lock = lock

    @classmethod
    def open(cls, path: Path) -> Self:
        """For changes: made where it is not there, and locked for everybody else until it is closed.

        Raises UsageError while another run has it, OperationError where it cannot be opened. What says ``sending`` was
        left by a run that died, and becomes ``unclear``.
        """
        lock = _take_lock(path)
        try:
            outbox = cls(_connect(path, write=True), path, lock)
        except BaseException:
            os.close(lock)
            raise
        try:
            outbox._recover()
        except BaseException:
            outbox.close()
            raise
        return outbox

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """For questions only; None where there is no outbox yet."""
        return cls(_connect(path, write=False), path, None) if path.exists() else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and let the next run in."""
        self._db.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def put(self, draft: Draft, now: datetime) -> Message:
        """Put a message in. One that is pending is replaced; one that has left ``pending`` stays as it is."""
        values = (
            draft.domain,
            draft.clinic,
            draft.subject,
            draft.message_id,
            draft.token,
            draft.fingerprint,
            draft.raw,
        )
        moment = _seconds(now)
        with self._changing():
            changed = self._db.execute(
                _PUT, (draft.key, draft.kind, draft.number, draft.recipient, *values, moment, moment)
            )
            if changed.rowcount:
                (number,) = self._db.execute("SELECT id FROM message WHERE key = ?", (draft.key,)).fetchone()
                self._note(number, moment, "prepared", "")
        found = self.find(draft.recipient, draft.number, draft.kind)
        assert found is not None
        return found

    def find(self, recipient: str, number: str, kind: str = "guide") -> Message | None:
        """The message of one recipient and guide."""
        return self._one("key = ?", key_of(recipient, number, kind))

    def find_id(self, text: str) -> Message | None:
        """The message that a Message-ID (without brackets) or an envelope id names."""
        return self._one("message_id = ? OR token = ?", text, text)

    def get(self, number: int) -> Message | None:
        """The message with a number of the list."""
        return self._one("id = ?", number)

    def messages(self, *states: State, domain: str = "") -> list[Message]:
        """Messages in the order in which they were made; without states, all."""
        where = ["1"]
        values: list[object] = []
        if states:
            where.append(f"state IN ({', '.join('?' * len(states))})")
            values += map(str, states)
        if domain:
            where.append("domain = ?")
            values.append(domain)
        rows = self._rows(f"SELECT {_COLUMNS} FROM message WHERE {' AND '.join(where)} ORDER BY id", *values)  # noqa: S608 - our own words
        return [_message(row) for row in rows]

    def raw(self, message: Message) -> bytes:
        """The bytes of a message, without its Date."""
        return bytes(self._rows("SELECT raw FROM message WHERE id = ?", message.id)[0][0])

    def events(self, message: Message) -> list[Event]:
        """What happened to a message, the first first."""
        rows = self._rows("SELECT at, what, detail FROM event WHERE message_id = ? ORDER BY id", message.id)
        return [Event(_moment(at), what, detail) for at, what, detail in rows]

    def begin(self, message: Message, now: datetime) -> bool:
        """Say that the message is being handed over now. False where it is not pending: then it must not be."""
        moment = _seconds(now)
        with self._changing():
            changed = self._db.execute(
                "UPDATE message SET state = 'sending', attempts = attempts + 1, changed_at = ? "
                "WHERE id = ? AND state = 'pending'",
                (moment, message.id),
            ).rowcount
            if changed:
                self._note(message.id, moment, "sending", "")
        return bool(changed)

    def conclude(self, message: Message, state: State, now: datetime, answer: str = "") -> None:
        """Say what became of a message, with the words of the server or of the person who says so."""
        moment, shown = _seconds(now), brief(answer, _MOST_DETAIL)
        with self._changing():
            self._db.execute(
                "UPDATE message SET state = ?, changed_at = ?, answer = ? WHERE id = ?",
                (state, moment, shown, message.id),
            )
            self._note(message.id, moment, "deferred" if state is State.PENDING else str(state), shown)

    def note(self, message: Message, what: str, now: datetime, detail: str) -> None:
        """Note something about a message that does not change its state."""
        with self._changing():
            self._note(message.id, _seconds(now), what, brief(detail, _MOST_DETAIL))

    def stop(self, address: str, reason: Stop, now: datetime, detail: str = "") -> None:
        """Send nothing more to an address. Who said no once has said no, whatever is known of bounces."""
        with self._changing():
            self._db.execute(_STOP, (address.lower(), reason, _seconds(now), brief(detail, _MOST_DETAIL)))

    def allow(self, address: str) -> bool:
        """Take an address off the list of those that get nothing; False where it was not on it."""
        with self._changing():
            return bool(self._db.execute("DELETE FROM stopped WHERE address = ?", (address.lower(),)).rowcount)

    def stopped(self, address: str) -> Stopped | None:
        """Why an address gets nothing more; None where it does."""
        return next(iter(self._stops("WHERE address = ?", address.lower())), None)

    def all_stopped(self) -> list[Stopped]:
        """Every address that gets nothing more."""
        return self._stops("ORDER BY address")

    def forget(self, domain: str) -> int:
        """Delete every message about a domain, and what happened to it; how many there were.

        Stopped addresses stay: they are the wish of their owners.
        """
        with self._changing():
            return self._db.execute("DELETE FROM message WHERE domain = ?", (domain,)).rowcount

    def _recover(self) -> None:
        now = datetime.now(UTC)
        for message in self.messages(State.SENDING):
            self.conclude(message, State.UNCLEAR, now, "the run ended while it was being handed over")

    def _stops(self, where: str, *values: object) -> list[Stopped]:
        rows = self._rows(f"SELECT address, reason, at, detail FROM stopped {where}", *values)  # noqa: S608 - our own words
        return [Stopped(address, Stop(reason), _moment(at), detail) for address, reason, at, detail in rows]

    def _one(self, where: str, *values: object) -> Message | None:
        rows = self._rows(f"SELECT {_COLUMNS} FROM message WHERE {where} LIMIT 1", *values)  # noqa: S608 - our own words
        return _message(rows[0]) if rows else None

    def _rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with _told(self._path):
            return self._db.execute(sql, values).fetchall()

    def _note(self, message: int, moment: int, what: str, detail: str) -> None:
        self._db.execute(
            "INSERT INTO event (message_id, at, what, detail) VALUES (?, ?, ?, ?)", (message, moment, what, detail)
        )

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with _told(self._path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # a full disk, for one, makes SQLite roll back by itself
                    self._db.execute("ROLLBACK")
                raise


def _take_lock(path: Path) -> int:
    try:
        descriptor = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        told = "The outbox {place} could not be opened ({reason})."
        raise OperationError(told, place=str(path), reason=error.strerror) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        told = "Another run is using the outbox {place}; wait until it has ended."
        raise UsageError(told, place=str(path)) from error
    return descriptor


def _connect(path: Path, *, write: bool) -> sqlite3.Connection:
    with _told(path):
        # What the system refuses here, SQLite would only call "unable to open".
        if write:
            # It holds addresses and letters.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        else:
            path.open("rb").close()
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, isolation_level=None)
        try:
            _prepare(connection, path, write=write)
        except BaseException:
            connection.close()
            raise
        return connection


def _prepare(connection: sqlite3.Connection, path: Path, *, write: bool) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > _VERSION:
        raise OperationError(
            "The outbox {place} was changed by a later version of mailguard; use that.", place=str(path)
        )
    if not write:
        if version != _VERSION:
            raise OperationError("{place} is no outbox.", place=str(path))
        connection.execute("PRAGMA query_only = ON")
        return
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")
    if version == 0:
        if connection.execute("SELECT count(*) FROM sqlite_master").fetchone() != (0,):
            raise OperationError("{place} is no outbox.", place=str(path))
        connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;")


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        told = "The outbox {place} could not be used ({reason}); what was not noted there counts as not done."
        reason = system_reason(error) if isinstance(error, OSError) else " ".join(str(error).split())[:200]
        raise OperationError(told, place=str(path), reason=reason) from error


def _message(row: tuple[Any, ...]) -> Message:
    number, *texts, state, attempts, prepared_at, changed_at, answer = row
    return Message(number, *texts, State(state), attempts, _moment(prepared_at), _moment(changed_at), answer)  # type: ignore[call-arg]


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
