"""Numbered migrations: each once, in order, all or nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailguard.errors import OperationError
from mailguard.store.migrate import Migration, load_migrations, migrate
from mailguard.store.sqlite import open_for_reading, open_for_writing

ONE = Migration(1, "0001_one.sql", "CREATE TABLE one (a TEXT DEFAULT ';'); -- a comment; with a semicolon\n")
TWO = Migration(2, "0002_two.sql", "CREATE TABLE two (a);\nINSERT INTO two VALUES ('x;\ny');\n")


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    yield connection
    connection.close()


def tables(connection: sqlite3.Connection) -> set[str]:
    return {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}


def test_each_is_applied_once_and_in_order(connection: sqlite3.Connection) -> None:
    assert migrate(connection, [ONE]) == 1
    assert migrate(connection, [ONE, TWO]) == 2
    assert migrate(connection, [ONE, TWO]) == 2
    assert tables(connection) == {"schema_migration", "one", "two"}
    assert connection.execute("SELECT a FROM two").fetchall() == [("x;\ny",)]


def test_one_that_fails_leaves_nothing_and_is_taken_up_again(connection: sqlite3.Connection) -> None:
    broken = Migration(2, "0002_two.sql", "CREATE TABLE two (a);\nINSERT INTO nowhere VALUES (1);\n")
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, [ONE, broken])
    assert tables(connection) == {"schema_migration", "one"}
    assert migrate(connection, [ONE, TWO]) == 2


def test_a_database_of_a_later_version_is_refused(connection: sqlite3.Connection) -> None:
    migrate(connection, [ONE, TWO])
    with pytest.raises(OperationError, match="later version"):
        migrate(connection, [ONE])


def test_a_migration_that_was_changed_is_refused(connection: sqlite3.Connection) -> None:
    migrate(connection, [ONE])
    with pytest.raises(OperationError, match="differs"):
        migrate(connection, [Migration(1, ONE.name, ONE.sql + "\n")])


def test_ours_are_numbered_without_gaps() -> None:
    assert [migration.number for migration in load_migrations()] == list(range(1, len(load_migrations()) + 1))


def test_the_database_is_durable_and_private(tmp_path: Path) -> None:
    path = tmp_path / "a b%3F.sqlite"
    connection = open_for_writing(path)
    pragmas = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    connection.close()
    assert pragmas == ["wal", 2]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    open_for_writing(tmp_path / "db").close()
    with (
        open_for_reading(tmp_path / "db") as connection,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        connection.execute("DELETE FROM mail")


def test_no_database_is_our_failure_and_says_where(tmp_path: Path) -> None:
    with pytest.raises(OperationError, match="nowhere"):
        open_for_writing(tmp_path / "nowhere" / "db")
    with pytest.raises(OperationError, match="nowhere"), open_for_reading(tmp_path / "nowhere"):
        pass
    (tmp_path / "text").write_text("no database at all, but long enough to be taken for one" * 20)
    with pytest.raises(OperationError, match="text"):
        open_for_writing(tmp_path / "text")
