"""The store in a SQLite file: WAL, ``synchronous=FULL``, foreign keys, readable by its owner only."""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mailguard.errors import OperationError, PlaceError, Sentence, is_of_the_path, system_reason
from mailguard.store.database import Values
from mailguard.store.statements import COLUMNS, insert

if TYPE_CHECKING:
    from sqlalchemy import Connection

BUSY_MS: Final = 5_000
"""How long a connection waits for another process's write."""

_INSERTS: Final = {table: insert(table) for table in COLUMNS}


class SqliteDatabase:
    """A ``Database`` in a file. The connection may move between threads, but only one may use it at a time."""

    trouble: tuple[type[Exception], ...] = (sqlite3.Error,)
    octets = "LENGTH(CAST({} AS BLOB))"

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.connection = connection
        self.path = path
        self.place = str(path)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        # At once, not when the first row is written: what is looked up before must still hold then.
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            # A full disk, for one, makes SQLite roll back by itself.
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise

    @contextmanager
    def erasing(self) -> Iterator[None]:
        self.connection.execute("PRAGMA secure_delete = ON")
        with self.transaction():
            yield

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        self.connection.execute("BEGIN")
        try:
            yield
        finally:
            self.connection.execute("ROLLBACK")

    def scrub(self) -> None:
        # The file is written anew without what was deleted, by way of the log, which then becomes empty.
        self.connection.execute("VACUUM")
        ((busy, *_),) = self.rows("PRAGMA wal_checkpoint(TRUNCATE)")
        if busy:
            raise OperationError(
                "{place}-wal still holds deleted data, because another program has the database open; stop it and "
                "run this again.",
                place=self.place,
            )

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        from sqlalchemy import create_engine, event
        from sqlalchemy.pool import NullPool

        engine = create_engine(
            "sqlite://",
            creator=lambda: sqlite3.connect(self.path, isolation_level=None, timeout=BUSY_MS / 1000),
            poolclass=NullPool,
        )
        # The driver by itself would begin no transaction for statements that change the schema.
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        with engine.begin() as connection:
            yield connection

    def run(self, sql: str, values: Values = ()) -> int:
        return self.connection.execute(sql, values).rowcount

    def rows(self, sql: str, values: Values = ()) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql, values).fetchall()

    def tables(self) -> frozenset[str]:
        return frozenset(row[0] for row in self.rows("SELECT name FROM sqlite_schema WHERE type = 'table'"))

    def damage(self) -> Iterator[Sentence]:
        for (text,) in self.rows("PRAGMA integrity_check(20)"):
            if text != "ok":
                yield Sentence("The file is damaged: {what}.", what=text)
        for table, *_ in self.rows("PRAGMA foreign_key_check"):
            yield Sentence("A row of {table} belongs to nothing.", table=table)

    def stream(self, sql: str, values: Values = ()) -> Iterator[tuple[Any, ...]]:
        yield from self.connection.execute(sql, values)

    def insert(self, table: str, rows: Iterable[Values]) -> None:
        self.connection.executemany(_INSERTS[table], rows)

    def why(self, error: Exception) -> str:
        return _why(error)

    def close(self) -> None:
        self.connection.close()


def connect_for_writing(path: Path) -> SqliteDatabase:
    """Open or create the file. Raises OperationError when that is not possible."""
    connection: sqlite3.Connection | None = None
    try:
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        _look_at(path)
        connection = sqlite3.connect(path, isolation_level=None, timeout=BUSY_MS / 1000, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        # FULL: somebody was told 250; NORMAL may forget the last commits when the power fails.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
    except (OSError, sqlite3.Error) as error:
        if connection is not None:
            connection.close()
        raise _refusal(error)(
            Sentence("The database {place} cannot be opened ({reason}); check the path and the disk."),
            place=path,
            reason=_why(error),
        ) from error
    return SqliteDatabase(connection, path)


def connect_for_looking(path: Path) -> SqliteDatabase:
    """As ``connect_for_reading``, and no file is made beside it: what nobody has open is taken as it lies there.

    Should somebody open and change it at the same time, what is read may be inconsistent, and an error is likely.
    """
    in_use = path.with_name(path.name + "-wal").exists()
    return connect_for_reading(path, more="" if in_use else "&immutable=1")


def connect_for_reading(path: Path, *, more: str = "") -> SqliteDatabase:
    """Open a file that is there; nothing can be written. Raises OperationError when there is none.

    ``more``: further parameters of the URI.
    """
    connection: sqlite3.Connection | None = None
    try:
        _look_at(path)
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro{more}",
            uri=True,
            isolation_level=None,
            timeout=BUSY_MS / 1000,
            check_same_thread=False,
        )
        connection.execute("SELECT COUNT(*) FROM sqlite_schema")
    except (OSError, sqlite3.Error) as error:
        if connection is not None:
            connection.close()
        raise _refusal(error)(
            Sentence("There is no database at {place} that can be read ({reason}); check the path."),
            place=path,
            reason=_why(error),
        ) from error
    return SqliteDatabase(connection, path)


def copy(source: SqliteDatabase, target: Path) -> None:
    """A consistent copy of a store that may be in use: a whole file under its name, or none.

    Raises OperationError: PlaceError where the file is there already.
    """
    fresh = target.with_name(target.name + ".new")
    try:
        if target.exists():
            raise PlaceError("{place} exists already; choose another path.", place=target)
        fresh.unlink(missing_ok=True)
        os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        with closing(sqlite3.connect(fresh)) as connection:
            source.connection.backup(connection)
            # One file and nothing beside it; whoever opens it for writing makes it WAL again.
            connection.execute("PRAGMA journal_mode = DELETE")
        _sync(fresh)
        os.link(fresh, target)  # unlike a rename, it never replaces a file
        fresh.unlink()
        _sync(target.parent)
    except (OSError, sqlite3.Error) as error:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise _refusal(error)(
            Sentence("The copy {place} could not be written ({reason}); choose another path."),
            place=target,
            reason=_why(error),
        ) from error


def _look_at(path: Path) -> None:
    """Raise OSError where there is no file that can be read; the system tells more about that than SQLite does.

    It is not opened: closing it would drop the locks that another connection of this process holds on it (POSIX).
    """
    if stat.S_ISDIR(os.stat(path).st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not os.access(path, os.R_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


_REFUSALS: Final = {
    "SQLITE_NOTADB": Sentence("it is no database"),
    "SQLITE_CORRUPT": Sentence("it is damaged"),
    "SQLITE_BUSY": Sentence("another program is writing to it"),
    "SQLITE_LOCKED": Sentence("another program is writing to it"),
    "SQLITE_FULL": Sentence("the disk is full"),
    "SQLITE_READONLY": Sentence("this user may only read it"),
    "SQLITE_CANTOPEN": Sentence("this user may not use it"),
}


def _refusal(error: Exception) -> type[OperationError]:
    """What to raise: whether the path was wrong or the disk."""
    return PlaceError if is_of_the_path(error) else OperationError


def _why(error: Exception) -> str:
    """Why the system or SQLite refused, in words that can be told; SQLite's own words for what is rare."""
    if isinstance(error, OSError):
        return system_reason(error)
    name = str(getattr(error, "sqlite_errorname", ""))
    own = " ".join(str(error).split())[:300]
    return next((told for begin, told in _REFUSALS.items() if name.startswith(begin)), own)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
