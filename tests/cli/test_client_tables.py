"""No table can hold something of a client behind the back of ``client export`` and ``client delete``.

Every table of the database and of the outbox is in one of two lists: it holds nothing of any client, and why; or a row
of a client is planted in it, which has to be in the export and gone after the deletion. A new table is in neither.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zipfile
import zlib
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from mailguard.cli import main
from mailguard.sending.outbox import Outbox
from mailguard.sending.values import Draft
from mailguard.store import open_store
from mailguard.store.schema import metadata
from tests.store.kept import CLINIC, OWN, fill

NOTHING = {
    "mailbox_mail": "numbers of mails that were looked at; the folder is a digest of the receiving mailbox's own name",
    "meta": "numbers about the database as a whole",
    "stopped": "who said no must not be written to again, whoever was the client; kept on purpose, and told",
}
"""Tables without anything of a client, or with what has to stay."""

AUDIT = {"domain": CLINIC, "as_of": "1970-01-01T00:00:01Z", "findings": []}
THEIRS = f"(SELECT min(id) FROM report WHERE policy_domain = '{CLINIC}')"
THEIR_TLS = f"(SELECT min(report_id) FROM tls_policy WHERE domain = '{CLINIC}')"


@dataclass(frozen=True)
class Planted:
    """How a row of the client comes to hold a mark, and where the export has to show it. ``sql`` has the mark as ?."""

    sql: str
    file: str
    column: str


def in_report(table: str, column: str) -> str:
    return f"UPDATE {table} SET {column} = ? WHERE report_id = {THEIRS} AND n = (SELECT min(n) FROM {table})"


def in_mail(table: str, key: str, column: str, name: str) -> str:
    digest = hashlib.sha256(OWN[name]).hexdigest()
    return f"UPDATE {table} SET {column} = ? WHERE {key} = (SELECT id FROM mail WHERE hex(sha256) = upper('{digest}'))"


PLANTED = {
    "mail": Planted(in_mail("mail", "id", "helo", "report"), "tables/mails", "helo"),
    "unreadable": Planted(in_mail("unreadable", "mail_id", "reason", "unreadable"), "tables/unreadable", "reason"),
    "report": Planted(f"UPDATE report SET org_name = ? WHERE id = {THEIRS}", "tables/reports", "org_name"),
    "report_conflict": Planted(
        f"INSERT INTO report_conflict SELECT id, ?, mail_id, 1, 1 FROM report WHERE id = {THEIRS}",
        "tables/conflicts",
        "digest",
    ),
    "defect": Planted(f"INSERT INTO defect SELECT {THEIRS}, 900, 'kind', 'place', ?", "tables/defects", "detail"),
    "record": Planted(in_report("record", "header_from"), "tables/records", "header_from"),
    "report_selector": Planted(
        f"INSERT INTO report_selector SELECT {THEIRS}, '{CLINIC}', ?, 1, 0", "tables/selectors", "selector"
    ),
    "rollup_day": Planted(
        f"INSERT INTO rollup_day VALUES ('{CLINIC}', 20000, 'verified', ?, 'none', 'pass', 'pass', 1)",
        "tables/sums-by-day",
        "reporter",
    ),
    "rollup_source": Planted(
        f"INSERT INTO rollup_source VALUES ('{CLINIC}', 20000, 'verified', ?, '192.0.2.1', 1, 1, 1, 1, 0)",
        "tables/sums-by-source",
        "reporter",
    ),
    "tls_report": Planted(
        f"UPDATE tls_report SET organization = ? WHERE id = {THEIR_TLS}", "tables/tls-reports", "organization"
    ),
    "tls_conflict": Planted(
        f"INSERT INTO tls_conflict SELECT id, ?, mail_id FROM tls_report WHERE id = {THEIR_TLS}",
        "tables/tls-conflicts",
        "digest",
    ),
    "tls_policy": Planted(
        f"UPDATE tls_policy SET type = ? WHERE report_id = {THEIR_TLS} AND domain = '{CLINIC}'",
        "tables/tls-policies",
        "type",
    ),
    "failure_report": Planted(
        f"UPDATE failure_report SET reporting_mta = ? WHERE reported_domain = '{CLINIC}'",
        "tables/failure-reports",
        "reporting_mta",
    ),
    "audit": Planted(f"INSERT INTO audit VALUES ('{CLINIC}', 1, packed(?))", "audits/", "unpacked(document)"),
    "message": Planted("UPDATE message SET subject = ?", "tables/sent", "subject"),
    "event": Planted("UPDATE event SET detail = ?", "tables/sent", "detail"),
}


def mark(table: str) -> str | bytes:
    """What is planted in a table and stands nowhere else."""
    text = f"planted-in-{table.replace('_', '-')}"
    return text.encode() if PLANTED[table].column == "digest" else text


def shown(mark: str | bytes) -> bytes:
    """A mark as an export has it: digests are hexadecimal digits."""
    return mark.encode() if isinstance(mark, str) else mark.hex().encode()


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database and an outbox with a marked row of the client in every table."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MAILGUARD_LANG", "en")
    with open_store("mailguard.db") as store:
        fill(store)
    with Outbox.open(Path("outbox.db")) as outbox:
        raw = b"Subject: s\r\n\r\n"
        draft = Draft("k", CLINIC, f"a@{CLINIC}", "C", "S", "1@x.example", "t", "f", raw)
        outbox.put(draft, datetime(2026, 11, 22, tzinfo=UTC))
    for table, planted in PLANTED.items():
        with closing(opened(table)) as database, database:
            assert database.execute(planted.sql, (mark(table),)).rowcount > 0, f"{table}: no row of the client"
            assert holds(database, table), table


def opened(table: str) -> sqlite3.Connection:
    """The file with a table."""
    database = sqlite3.connect("mailguard.db" if table in metadata.tables else "outbox.db")
    database.execute("PRAGMA foreign_keys = ON")
    database.create_function("packed", 1, lambda text: zlib.compress(json.dumps({**AUDIT, "marked": text}).encode()))
    database.create_function("unpacked", 1, lambda packed: json.loads(zlib.decompress(packed)).get("marked"))
    return database


def holds(database: sqlite3.Connection, table: str) -> bool:
    column = PLANTED[table].column
    ((count,),) = database.execute(f"SELECT COUNT(*) FROM {table} WHERE {column} = ?", (mark(table),))
    return bool(count)


def tables_of(file: str) -> set[str]:
    with closing(sqlite3.connect(file)) as database:
        found = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        return {name for (name,) in found}


def client(*arguments: str) -> None:
    done = CliRunner().invoke(main, ["client", arguments[0], CLINIC, "--outbox", "outbox.db", *arguments[1:]])
    assert done.exit_code == 0, done.output


def test_every_table_is_in_one_of_the_lists(kept: None) -> None:
    tables = tables_of("mailguard.db") | tables_of("outbox.db") | set(metadata.tables)
    assert tables - {"alembic_version"} == PLANTED.keys() | NOTHING.keys(), (
        "a table is in neither list: see that client export and client delete know it, and plant a row here"
    )
    assert not PLANTED.keys() & NOTHING.keys()
    assert all(NOTHING.values())


def test_what_is_planted_is_exported_and_then_gone(kept: None) -> None:
    client("export", "-o", "clinic.zip")
    with zipfile.ZipFile("clinic.zip") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    for table, planted in PLANTED.items():
        found = [name for name, content in files.items() if shown(mark(table)) in content]
        assert any(name.startswith(planted.file) for name in found), f"{table} is not in the export"
    client("delete", "--exported", "clinic.zip", "--yes")
    for table in PLANTED:
        with closing(opened(table)) as database:
            assert not holds(database, table), f"{table} still has it"
    left = b"".join(
        path.read_bytes() for path in Path().iterdir() if path.name.startswith(("mailguard.db", "outbox.db"))
    )
    for table in PLANTED:
        name = mark(table)
        assert (name if isinstance(name, bytes) else name.encode()) not in left, f"{table}: its bytes are still there"


def test_a_table_with_nothing_of_a_client_does_not_name_it(kept: None) -> None:
    for table in NOTHING.keys() - {"stopped"}:
        with closing(opened(table)) as database:
            assert CLINIC not in repr(database.execute(f"SELECT * FROM {table}").fetchall())
