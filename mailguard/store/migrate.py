"""Bringing a database up to the schema of this version, one numbered file after the other.

``migrations/0001_reports.sql`` and so on. Each file is applied in one transaction together with the note that it was,
so an interrupted migration leaves nothing half done and is taken up again next time. The note holds the file's SHA-256:
a file that was changed after it had been applied, or a database that a later version has touched, is refused.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files

from mailguard.errors import OperationError
from mailguard.store.transaction import transaction


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step of the schema."""

    number: int
    name: str
    sql: str

    @property
    def digest(self) -> str:
        """SHA-256 of the text, in hex."""
        return sha256(self.sql.encode()).hexdigest()


def load_migrations() -> list[Migration]:
    """All migrations of this version, in order."""
    found = [
        Migration(int(file.name.partition("_")[0]), file.name, file.read_text("utf-8"))
        for file in (files(__package__) / "migrations").iterdir()
        if file.name.endswith(".sql")
    ]
    return sorted(found, key=lambda migration: migration.number)


def migrate(connection: sqlite3.Connection, migrations: list[Migration] | None = None) -> int:
    """Apply what has not been applied yet; the number of the last migration.

    The connection must be in autocommit mode (``isolation_level=None``). Raises OperationError for a database that was
    made by a later version or by migrations that differ from ours.
    """
    wanted = load_migrations() if migrations is None else migrations
    # Taken before looking, so that of two processes one migrates and the other sees it done.
    with transaction(connection):
        connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_migration "
            "(number INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL)"
        )
        applied = dict(connection.execute("SELECT number, sha256 FROM schema_migration"))
    _check_history(applied, wanted)
    for migration in wanted:
        if migration.number not in applied:
            _apply(connection, migration)
    return wanted[-1].number if wanted else 0


def _check_history(applied: dict[int, str], wanted: list[Migration]) -> None:
    known = {migration.number: migration.digest for migration in wanted}
    for number, digest in applied.items():
        if number not in known:
            raise OperationError(
                f"The database was changed by a later version of mailguard (migration {number:04}); use that version."
            )
        if known[number] != digest:
            raise OperationError(
                f"Migration {number:04} of the database differs from ours; use the version that made the database."
            )


def _apply(connection: sqlite3.Connection, migration: Migration) -> None:
    with transaction(connection):
        known = connection.execute("SELECT 1 FROM schema_migration WHERE number = ?", (migration.number,))
        if known.fetchone():
            return  # another process was faster
        for statement in _statements(migration.sql):
            connection.execute(statement)
        connection.execute(
            "INSERT INTO schema_migration (number, name, sha256) VALUES (?, ?, ?)",
            (migration.number, migration.name, migration.digest),
        )


def _statements(sql: str) -> Iterator[str]:
    """The statements of a script; ``executescript`` would commit the transaction that is open."""
    statement = ""
    for line in sql.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
