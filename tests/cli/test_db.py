"""``mailguard db``: what it says, what it leaves behind, and how it exits."""

from __future__ import annotations

import shlex
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailguard.cli import main
from mailguard.store import open_store
from tests.store.samples import BEGIN, everything, filed, record, report

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("MAILGUARD_LANG", "en")
    return lambda *arguments: CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def place(tmp_path: Path) -> Path:
    with open_store(tmp_path / "db") as store:
        store.add([filed(report(record(count=5))), filed(report(record("192.0.2.9"), report_id="r-2"))])
    return tmp_path / "db"


def test_upgrade_makes_a_schema_and_is_content_with_one_that_is_there(run: Run, tmp_path: Path) -> None:
    for _ in range(2):
        done = run("db", "upgrade", "--database", tmp_path / "new")
        assert (done.exit_code, "schema of this version" in done.output) == (0, True)


def test_upgrade_refuses_a_later_version(run: Run, place: Path) -> None:
    with sqlite3.connect(place) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    done = run("db", "upgrade", "--database", place)
    assert (done.exit_code, "later version" in done.output) == (4, True)


def test_check_finds_nothing_wrong_with_a_sound_database(run: Run, place: Path) -> None:
    done = run("db", "check", "--database", place)
    assert (done.exit_code, done.output) == (0, f"{place} is sound.\n")


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("UPDATE rollup_day SET messages = messages + 1", "Daily sums"),
        ("DELETE FROM rollup_source", "Daily sums"),
        ("UPDATE record SET messages = 6 WHERE messages = 5", "not those that were counted"),
        ("DELETE FROM record", "not those that were counted"),
        ("DELETE FROM mail WHERE id = 1", "belongs to nothing"),
        ("UPDATE report SET superseded_by = 2 WHERE id = 1", "no copy of them"),
    ],
)
def test_check_tells_what_does_not_agree(run: Run, place: Path, damage: str, told: str) -> None:
    with sqlite3.connect(place) as connection:
        connection.execute(damage)
    connection.close()
    done = run("db", "check", "--database", place)
    assert (done.exit_code, told in done.output) == (1, True)


def test_check_tells_of_a_damaged_file(run: Run, place: Path) -> None:
    with sqlite3.connect(place) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        ((page,),) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'record'")
        ((size,),) = connection.execute("PRAGMA page_size")
    connection.close()
    content = bytearray(place.read_bytes())
    content[(page - 1) * size + 200 : page * size] = b"\xff" * (size - 200)
    place.write_bytes(content)
    assert run("db", "check", "--database", place).exit_code in (1, 4)


def test_no_database_is_wrong_use_in_one_sentence(run: Run, tmp_path: Path) -> None:
    done = run("db", "check", "--database", tmp_path / "nowhere")
    assert done.exit_code == 2
    assert done.output.count("\n") == 1
    assert not (tmp_path / "nowhere").exists()


def test_a_copy_made_while_somebody_writes_is_whole_and_restores_everything(run: Run, place: Path) -> None:
    copy, fresh = place.with_name("copy"), place.with_name("fresh")
    with open_store(place) as store:
        store.database.connection.execute("BEGIN IMMEDIATE")  # type: ignore[attr-defined]
        store.database.run("DELETE FROM rollup_day")
        assert run("db", "backup", copy, "--database", place).exit_code == 0
        store.database.connection.execute("ROLLBACK")  # type: ignore[attr-defined]
        before = everything(store.database)
    assert copy.stat().st_mode & 0o777 == 0o600
    assert run("db", "check", "--database", copy).exit_code == 0
    assert run("db", "restore", copy, "--database", fresh).exit_code == 0
    with open_store(fresh) as store:
        assert everything(store.database) == before
    assert not list(place.parent.glob("*.new"))


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_nothing_is_written_over(run: Run, place: Path, command: str) -> None:
    taken = place.with_name("taken")
    taken.write_text("mine")
    arguments = (taken, "--database", place) if command == "backup" else (place, "--database", taken)
    done = run("db", command, *arguments)
    assert (done.exit_code, "exists already" in done.output) == (2, True)
    assert taken.read_text() == "mine"


def test_a_damaged_copy_is_not_restored(run: Run, place: Path) -> None:
    broken = place.with_name("broken")
    broken.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    assert run("db", "restore", broken, "--database", place.with_name("fresh")).exit_code == 4
    assert not place.with_name("fresh").exists()


def test_a_restored_copy_is_upgraded_by_the_command_that_is_told(run: Run, place: Path) -> None:
    run("db", "backup", place.with_name("copy"), "--database", place)
    fresh = place.with_name("made again.db")
    told = run("db", "restore", place.with_name("copy"), "--database", fresh).stdout
    command = shlex.split(told.partition("run: ")[2])
    assert command == ["mailguard", "db", "upgrade", "--database", str(fresh)]
    assert run(*command[1:]).exit_code == 0


def test_a_database_that_is_in_use_is_told_in_the_readers_language(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailguard.store.sqlite.BUSY_MS", 1)
    with closing(sqlite3.connect(place, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        line = ["db", "prune", "raw", "--days", "9", "--database", str(place), "--lang"]
        told = {language: CliRunner().invoke(main, [*line, language]) for language in ("en", "ja")}
    assert [one.exit_code for one in told.values()] == [4, 4]
    assert told["en"].stderr == (
        f"mailguard: Nothing could be deleted from {place} (another program is writing to it); try again.\n"
    )
    assert "locked" not in told["ja"].stderr
    assert "received" not in told["en"].stderr


def test_postgresql_is_backed_up_by_its_own_tools(run: Run, place: Path) -> None:
    done = run("db", "restore", place, "--database", "postgresql://mailguard@127.0.0.1/reports")
    assert (done.exit_code, "pg_dump" in done.output) == (2, True)


def test_prune_deletes_one_kind_and_says_how_much(run: Run, place: Path) -> None:
    done = run("db", "prune", "records", "--days", 1, "--database", place)
    with open_store(place) as store:
        left = store.database.rows("SELECT COUNT(*) FROM record")[0][0]
        day = store.database.rows("SELECT value FROM meta")[0][0]
    assert done.exit_code == 0
    assert done.output == f"Deleted rows: {2 - left}\n"
    assert (left == 0) == (day > BEGIN // 86_400)
    assert run("db", "check", "--database", place).exit_code == 0
    assert run("db", "prune", "everything", "--days", 1, "--database", place).exit_code == 2
    assert run("db", "prune", "raw", "--days", 0, "--database", place).exit_code == 2
