"""From SMTP to rows: what a sender is told, and what lies in the database by then."""

from __future__ import annotations

import asyncio
import smtplib
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from mailguard.ingest.deliver import into_store
from mailguard.ingest.listener import Listener, ListenerSettings
from mailguard.store.encode import unpack
from mailguard.store.writer import Writer
from tests.feedback.mails import gzipped_mail, report

CORPUS = Path(__file__).parents[2] / "../shared/corpus"
REAL_MAILS = sorted(
    [
        *CORPUS.glob("mjl-__mox/testdata/dmarc-reports/*.eml"),
        *CORPUS.glob("domainaware__parsedmarc/samples/aggregate/*.eml"),
    ]
)
SETTINGS = ListenerSettings(addresses=("dmarc@clinic.example.jp",))


async def send(database: Path, *mails: bytes, break_with: str = "") -> list[int]:
    """Send mails one after the other; the code that each was answered with."""

    def talk(port: int) -> list[int]:
        codes = []
        with smtplib.SMTP("127.0.0.1", port, local_hostname="a.example", timeout=10) as smtp:
            for mail in mails:
                try:
                    smtp.sendmail("", ["dmarc@clinic.example.jp"], mail)
                    codes.append(250)
                except smtplib.SMTPDataError as refusal:
                    codes.append(refusal.smtp_code)
        return codes

    async with Writer(database) as writer, Listener(SETTINGS, into_store(writer)) as listener:
        if break_with:
            query(database, break_with)
        return await asyncio.to_thread(talk, listener.port)


def query(database: Path, sql: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(database)
    try:
        with connection:
            return connection.execute(sql).fetchall()
    finally:
        connection.close()


async def test_a_report_becomes_rows_before_it_is_acknowledged(tmp_path: Path) -> None:
    raw = gzipped_mail(report())
    assert await send(tmp_path / "db", raw, raw) == [250, 250]
    ((packed, mail_from),) = query(tmp_path / "db", "SELECT raw, mail_from FROM mail")
    assert (unpack(packed), mail_from) == (raw, "")
    assert query(tmp_path / "db", "SELECT source_ip, messages FROM record") == [("192.0.2.1", 1)]


async def test_a_mail_that_is_no_report_is_kept_all_the_same(tmp_path: Path) -> None:
    assert await send(tmp_path / "db", b"Subject: hello\r\n\r\nA letter.\r\n") == [250]
    assert query(tmp_path / "db", "SELECT COUNT(*) FROM mail") == [(1,)]


async def test_what_cannot_be_stored_is_not_acknowledged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    raw = gzipped_mail(report())
    assert await send(tmp_path / "db", raw, break_with="DROP TABLE record") == [451]
    assert query(tmp_path / "db", "SELECT COUNT(*) FROM mail") == [(0,)]
    assert "could not be kept" in caplog.text


@pytest.mark.skipif(not REAL_MAILS, reason="the corpus of real reports is not beside the checkout")
async def test_real_reports_of_real_reporters_arrive(tmp_path: Path) -> None:
    mails = [b"\r\n".join(path.read_bytes().splitlines()) + b"\r\n" for path in REAL_MAILS]
    assert await send(tmp_path / "db", *mails) == [250] * len(mails)
    assert query(tmp_path / "db", "SELECT COUNT(*) FROM report") == [(len(mails),)]
    assert query(tmp_path / "db", "SELECT COUNT(*) FROM unreadable") == [(0,)]
    assert {"google.com", "Outlook.com", "Yahoo! Inc.", "Mail.Ru", "Mimecast"} <= {
        row[0] for row in query(tmp_path / "db", "SELECT org_name FROM report")
    }
