"""Reports in the database: every message counted once, whoever sends what twice."""

from __future__ import annotations

import asyncio
import gzip
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailguard.errors import OperationError
from mailguard.feedback.envelope import ReceivedMail
from mailguard.feedback.mail import MailContents, read_mail
from mailguard.store.reports import Outcome, ReporterRow, SourceRow, Stored, add_mail, load_reporters, load_sources
from mailguard.store.sqlite import open_for_writing
from mailguard.store.writer import Writer
from tests.feedback.mails import METADATA, gzipped_mail, mail, record, report, zipped

DOMAIN = "clinic.example.jp"
BEGIN, END = 1789900000, 1790100000


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = open_for_writing(tmp_path / "db")
    yield connection
    connection.close()


def received(raw: bytes) -> ReceivedMail:
    return ReceivedMail(raw, 1790100000, "192.0.2.25", "dmarc@reporter.example", ("dmarc@clinic.example.jp",))


def add(connection: sqlite3.Connection, raw: bytes) -> Stored:
    return add_mail(connection, received(raw), read_mail(raw))


def failing(ip: str, count: int) -> str:
    return record(ip, count).replace("<dkim>pass", "<dkim>fail", 1).replace(">none<", ">reject<", 1)


def test_sources_of_a_window(connection: sqlite3.Connection) -> None:
    xml = report(record("192.0.2.1", 3), record("192.0.2.1", 4), failing("192.0.2.66", 50), failing("192.0.2.1", 1))
    assert add(connection, gzipped_mail(xml)).outcomes == (Outcome.ADDED,)
    other = METADATA.replace("reporter.example<", "other.example<", 1)
    add(connection, gzipped_mail(report(record("192.0.2.1", 10), metadata=other)))
    assert load_sources(connection, DOMAIN, BEGIN, END) == [
        SourceRow("192.0.2.66", messages=50, passed=0, dkim_aligned=0, spf_aligned=0, stopped=50, reporters=1),
        SourceRow("192.0.2.1", messages=18, passed=17, dkim_aligned=17, spf_aligned=0, stopped=1, reporters=2),
    ]
    assert load_reporters(connection, DOMAIN, BEGIN, END) == [
        ReporterRow("reporter.example", 1, 58),
        ReporterRow("other.example", 1, 10),
    ]


@pytest.mark.parametrize("window", [(BEGIN, 1790000000), (1790000001, END)])
def test_other_windows_and_other_domains_show_nothing(connection: sqlite3.Connection, window: tuple[int, int]) -> None:
    add(connection, gzipped_mail(report()))
    assert load_sources(connection, DOMAIN, *window) == []
    assert load_reporters(connection, "other.example.jp", BEGIN, END) == []


def test_the_same_mail_twice_changes_nothing(connection: sqlite3.Connection) -> None:
    raw = gzipped_mail(report(record(count=5)))
    first, second = add(connection, raw), add(connection, raw)
    assert (first.new, second.new, second.mail_id) == (True, False, first.mail_id)
    assert load_sources(connection, DOMAIN, BEGIN, END)[0].messages == 5


def test_the_same_report_in_another_packing_is_known(connection: sqlite3.Connection) -> None:
    xml = report(record(count=5))
    add(connection, gzipped_mail(xml))
    assert add(connection, mail(zipped(xml.encode()))).outcomes == (Outcome.KNOWN,)
    assert load_sources(connection, DOMAIN, BEGIN, END)[0].messages == 5


def test_another_report_under_the_same_key_does_not_replace_the_first(connection: sqlite3.Connection) -> None:
    add(connection, gzipped_mail(report(record(count=5))))
    forged = gzipped_mail(report(record(count=5000)))
    assert add(connection, forged).outcomes == (Outcome.CONFLICT,)
    assert add(connection, forged + b"\r\n").outcomes == (Outcome.CONFLICT,)
    assert load_sources(connection, DOMAIN, BEGIN, END)[0].messages == 5
    assert connection.execute("SELECT COUNT(*) FROM report_conflict").fetchone() == (1,)


def test_counts_beyond_32_bits_add_up(connection: sqlite3.Connection) -> None:
    add(connection, gzipped_mail(report(*(record(count=2**32) for _ in range(3)))))
    assert load_sources(connection, DOMAIN, BEGIN, END)[0].messages == 3 * 2**32


def test_an_unreadable_mail_is_kept_with_its_reason(connection: sqlite3.Connection) -> None:
    raw = mail(gzip.compress(b"<!DOCTYPE x><feedback/>"))
    stored = add(connection, raw)
    assert (stored.new, stored.outcomes) == (True, ())
    assert connection.execute("SELECT place, reason FROM unreadable").fetchall() == [("report.xml.gz", "doctype")]
    assert connection.execute("SELECT raw FROM mail").fetchone() == (raw,)


def test_what_a_report_says_is_never_sql(connection: sqlite3.Connection) -> None:
    evil = "'); DROP TABLE report; --"
    add(connection, gzipped_mail(report(metadata=METADATA.replace("reporter.example<", evil + "<", 1))))
    assert load_reporters(connection, DOMAIN, BEGIN, END) == [ReporterRow(evil, 1, 1)]
    assert load_sources(connection, evil, BEGIN, END) == []


def test_a_mail_is_stored_whole_or_not_at_all(connection: sqlite3.Connection) -> None:
    raw = gzipped_mail(report())
    contents = read_mail(raw)
    connection.execute("DROP TABLE auth_result")
    with pytest.raises(sqlite3.OperationalError):
        add_mail(connection, received(raw), contents)
    assert connection.execute("SELECT (SELECT COUNT(*) FROM mail), (SELECT COUNT(*) FROM report)").fetchone() == (0, 0)


async def test_the_writer_finishes_what_its_caller_no_longer_waits_for(tmp_path: Path) -> None:
    raw = gzipped_mail(report())
    async with Writer(tmp_path / "db") as writer:
        waiting = asyncio.create_task(writer.add_mail(received(raw), read_mail(raw)))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert not (await writer.add_mail(received(raw), read_mail(raw))).new


async def test_a_writer_without_its_database_says_so(tmp_path: Path) -> None:
    async with Writer(tmp_path / "db") as writer:
        with sqlite3.connect(tmp_path / "db") as other:
            other.execute("DROP TABLE unreadable")
        other.close()
        with pytest.raises(OperationError, match="could not be stored"):
            await writer.add_mail(received(b"From: a@b.example\r\n\r\n"), MailContents((), ()))
