"""Steps of the schema: from nothing to today and back, all or nothing."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from mailguard.errors import OperationError, UsageError
from mailguard.store import open_reader, open_store
from mailguard.store.database import Database
from mailguard.store.migrate import HEAD, configuration, downgrade, schema_of, upgrade
from mailguard.store.schema import metadata
from mailguard.store.upkeep import check
from tests.store.samples import everything, filed, record, report


def differences(database: Database) -> list[object]:
    """Where the tables of a database are not those of the schema."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with database.migrating() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))


def test_the_steps_make_the_schema_and_take_it_away_again(tmp_path: Path) -> None:
    with open_store(tmp_path / "db") as store:
        assert schema_of(store.database) == HEAD
        assert differences(store.database) == []
        assert downgrade(store.database) == ""
        assert store.database.tables() == {"alembic_version"}
        assert upgrade(store.database) == HEAD
        assert differences(store.database) == []


def test_the_steps_keep_what_they_have_a_place_for(tmp_path: Path) -> None:
    with open_store(tmp_path / "db") as store:
        store.add([filed(report(record(count=5), record("192.0.2.9", 2, passes=False)))])
        before = everything(store.database)
        assert downgrade(store.database, "0001") == "0001"
        assert upgrade(store.database) == HEAD
        assert everything(store.database) == before
        assert list(check(store.database)) == []


def test_the_known_head_is_the_last_step() -> None:
    from alembic.script import ScriptDirectory

    assert ScriptDirectory.from_config(configuration()).get_heads() == [HEAD]
    names = sorted(path.name for path in (files("mailguard.store") / "migrations" / "versions").iterdir())
    assert [name[:4] for name in names if name[0] == "0"] == [f"{n:04}" for n in range(1, int(HEAD) + 1)]


def test_a_step_that_breaks_leaves_nothing_half_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from alembic import op

    with open_store(tmp_path / "db") as store:
        downgrade(store.database)
        real = op.create_table

        def breaking(name: str, *args: object, **kwargs: object) -> object:
            if name == "failure_report":
                raise sqlite3.OperationalError("no power")
            return real(name, *args, **kwargs)  # type: ignore[arg-type]

        monkeypatch.setattr(op, "create_table", breaking)
        with pytest.raises(sqlite3.OperationalError):
            upgrade(store.database)
        assert store.database.tables() <= {"alembic_version"}
        monkeypatch.undo()
        assert upgrade(store.database) == HEAD


def test_a_step_that_the_database_refuses_is_its_trouble_and_nobody_elses(tmp_path: Path) -> None:
    """SQLAlchemy's own error would end a daemon whose server goes away while the tables are being made."""
    with sqlite3.connect(tmp_path / "db") as connection:
        connection.execute("CREATE TABLE mail (somebody_elses)")
    with pytest.raises(OperationError, match="mail"):
        open_store(tmp_path / "db")


def test_a_database_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "db"
    with open_store(path) as store:
        store.database.run("UPDATE alembic_version SET version_num = '9999'")
        with pytest.raises(OperationError, match="later version"):
            upgrade(store.database)
    with pytest.raises(OperationError, match="later version"):
        open_store(path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    connection.close()
    with pytest.raises(OperationError, match="mailguard db upgrade"):
        open_reader(path)


def test_a_database_of_the_preview_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "db") as connection:
        connection.execute("CREATE TABLE schema_migration (number INTEGER)")
    connection.close()
    with pytest.raises(OperationError, match="preview"):
        open_store(tmp_path / "db")


def test_the_database_is_durable_and_private(tmp_path: Path) -> None:
    path = tmp_path / "a b%3F.sqlite"
    with open_store(path) as store:
        pragmas = [
            store.database.rows(f"PRAGMA {name}")[0][0] for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
        assert pragmas == ["wal", 2, 1]
        assert {one.stat().st_mode & 0o777 for one in tmp_path.iterdir()} == {0o600}


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    open_store(tmp_path / "db").close()
    with open_reader(tmp_path / "db") as reader, pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.database.run("DELETE FROM mail")


def test_no_database_is_our_failure_and_says_where(tmp_path: Path) -> None:
    with pytest.raises(OperationError, match="nowhere"):
        open_store(tmp_path / "nowhere" / "db")
    with pytest.raises(OperationError, match="nowhere"):
        open_reader(tmp_path / "nowhere")
    (tmp_path / "empty").touch()
    with pytest.raises(OperationError, match="nothing has been received"):
        open_reader(tmp_path / "empty")
    (tmp_path / "text").write_text("no database at all, but long enough to be taken for one" * 20)
    with pytest.raises(OperationError, match="text"):
        open_store(tmp_path / "text")
    with pytest.raises(UsageError, match="postgresql://"):
        open_store("mysql://somewhere/db")


def test_opening_and_writing_import_neither_alembic_nor_sqlalchemy(tmp_path: Path) -> None:
    open_store(tmp_path / "db").close()
    script = (
        "import sys\nfrom mailguard.store import open_store\nfrom tests.store.samples import filed, report\n"
        f"with open_store({str(tmp_path / 'db')!r}) as store: store.add([filed(report())])\n"
        "assert not {'alembic', 'sqlalchemy', 'psycopg'} & sys.modules.keys(), 'imported'\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
