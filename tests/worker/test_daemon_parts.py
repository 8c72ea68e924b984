"""The smaller parts of the daemon: mailboxes, retention, the log, systemd."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from mailguard.errors import OperationError
from mailguard.feedback.envelope import Way
from mailguard.settings import RetentionSettings
from mailguard.sources.mailbox import Batch, Fetched, Outcome, Place
from mailguard.store import open_store
from mailguard.store.upkeep import Kind
from mailguard.worker.filer import Filer, StoreAway
from mailguard.worker.handling import Handled, MailOutcome
from mailguard.worker.logs import OneLine, Sparing
from mailguard.worker.mailboxes import _take, recogniser
from mailguard.worker.notify import keep_telling, notify, watchdog_s
from mailguard.worker.readers import Readers
from mailguard.worker.retention import due, keep_pruning
from mailguard.worker.telling import Trouble
from mailguard.worker.wire import ReadingSettings
from tests.worker.mails import ORDINARY, UNREADABLE, mail_bytes, poison, report_mail
from tests.worker.until import until

PLACE = Place("u", "imap.example.jp", "INBOX", 1)


@pytest.mark.parametrize(
    ("raw", "ours"),
    [
        (mail_bytes("a"), True),
        (mail_bytes("a").replace(b"Subject:", b"X-Subject:"), True),  # its content says so
        (UNREADABLE.raw, True),  # its subject says so
        (ORDINARY.raw, False),
        (UNREADABLE.raw.replace(b"Subject: Report Domain: example.jp", b"Subject: photos"), False),
        (poison("crash").raw.replace(b"Subject:", b"X-Subject:"), False),  # nobody knows; it is left alone
        (b"", False),
        (b"Subject: hello\r\n\r\nSubject: Report Domain: example.jp\r\n", False),
    ],
)
async def test_only_reports_are_taken_from_a_mailbox(raw: bytes, ours: bool) -> None:
    async with Readers(ReadingSettings(), processes=1, program="tests.worker.poisoned_child") as readers:
        assert await asyncio.to_thread(recogniser(readers), raw) is ours


class FakeHandler:
    def __init__(self, result: MailOutcome | Exception) -> None:
        self.result = result

    async def handle(self, mail: object) -> Handled:
        if isinstance(self.result, Exception):
            raise self.result
        return Handled(report_mail("a"), self.result)


@pytest.mark.parametrize(
    ("result", "committed"),
    [
        (MailOutcome.STORED, Outcome.DONE),
        (MailOutcome.DUPLICATE, Outcome.DONE),
        (MailOutcome.CONFLICT, Outcome.DONE),
        (MailOutcome.QUARANTINED, Outcome.FAILED),
        (StoreAway("stopping"), None),
        (OperationError("the disk is full"), None),
    ],
)
async def test_a_mail_is_moved_only_once_something_became_of_it(
    result: MailOutcome | Exception, committed: Outcome | None
) -> None:
    fetched = Fetched(7, report_mail("a", way=Way.MAILBOX))
    batch = Batch(PLACE, (fetched,))
    await _take(FakeHandler(result), batch, fetched, lambda handled: None)  # type: ignore[arg-type]
    assert batch.committed(Outcome.DONE) == ((7,) if committed is Outcome.DONE else ())
    assert batch.committed(Outcome.FAILED) == ((7,) if committed is Outcome.FAILED else ())


def test_every_kind_of_data_has_its_days() -> None:
    retention = RetentionSettings(sums_days=5)
    assert {kind for kind, _ in due(retention)} == set(Kind)
    assert dict(due(retention))[Kind.SUMS] == 5
    assert Kind.SUMS not in dict(due(RetentionSettings(sums_days=0)))


async def test_what_is_older_than_its_time_goes(tmp_path: Path) -> None:
    from tests.worker.test_filer import filed

    path = tmp_path / "reports.db"
    async with Filer(lambda: open_store(path)) as filer:
        await filer.add(filed("old"))
        pruning = asyncio.create_task(keep_pruning(filer, RetentionSettings(raw_days=1), first_after_s=0))

        def raw_is_gone() -> bool:
            with open_store(path) as store:
                return store.database.rows("SELECT raw FROM mail") == [(None,)]

        await until(raw_is_gone)
        pruning.cancel()
        with pytest.raises(asyncio.CancelledError):
            await pruning


def record(text: str, *args: object, error: BaseException | None = None) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    made = logging.LogRecord("mailguard", logging.ERROR, "x.py", 1, text, args, info)
    made.created = time.mktime((2026, 11, 22, 0, 0, 0, 0, 0, 0))
    return made


def test_a_log_line_is_one_line_whatever_stands_in_it() -> None:
    line = OneLine({}).format(record("from %s", "a\r\n2026 error: forged\x1b[2J\u202e"))
    assert line.isprintable()
    assert "2026-11-22" in line
    assert len(OneLine({}).format(record("x" * 100_000))) < 3_000


def test_an_exception_is_told_on_the_same_line() -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError as error:
        line = OneLine({}).format(record("it failed", error=error))
    assert line.isprintable()
    assert "ValueError" in line
    assert "test_daemon_parts.py" in line


def test_the_journal_is_told_how_grave_it_is() -> None:
    assert OneLine({"JOURNAL_STREAM": "8:1"}).format(record("x")) == "<3>x"


def spared(lines: Iterable[tuple[float, str]], level: int = logging.WARNING) -> list[str]:
    """What is written of lines that one place in the code says at these times."""
    sparing, written = Sparing(), []
    for at, text in lines:
        made = record("%s", text)
        made.levelno, made.created = level, 1_000_000.0 + at
        if sparing.filter(made):
            written.append(made.getMessage())
    return written


def test_a_thousand_warnings_of_one_kind_are_twenty_lines_and_a_number() -> None:
    written = spared((n / 100, f"mail {n}") for n in range(1_000))
    assert written == [f"mail {n}" for n in range(20)]
    written = spared([*((n / 100, f"mail {n}") for n in range(1_000)), (61.0, "later"), (62.0, "again")])
    assert written[20:] == ["later (before this: 980 lines more)", "again"]


def test_a_clock_that_is_set_back_silences_nothing() -> None:
    assert len(spared([*((0, "x") for _ in range(50)), (-5_000.0, "back")])) == 21


def test_what_somebody_asked_to_see_is_shown_in_full() -> None:
    assert len(spared(((0, "stored") for _ in range(1_000)), logging.INFO)) == 1_000


def test_trouble_is_told_once_and_once_that_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    trouble = Trouble()
    for _ in range(100):
        trouble.say(OSError("the disk is full"))
    trouble.say(OSError("the disk is gone"))
    trouble.is_over()
    trouble.is_over()
    assert caplog.messages == ["the disk is full", "the disk is gone", "this works again: the disk is gone"]


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "120000000"}, 120.0),
        ({"WATCHDOG_USEC": "120000000", "WATCHDOG_PID": str(os.getpid())}, 120.0),
        ({"WATCHDOG_USEC": "120000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_how_often_systemd_wants_to_hear_from_us(environ: dict[str, str], seconds: float | None) -> None:
    assert watchdog_s(environ) == seconds


async def test_systemd_hears_that_the_loop_goes_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(str(tmp_path / "notify"))
        told.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        telling = asyncio.create_task(keep_telling(0.02))
        heard = [await asyncio.wait_for(asyncio.get_running_loop().sock_recv(told, 100), 5) for _ in range(3)]
        telling.cancel()
    assert heard == [b"WATCHDOG=1"] * 3


def test_nobody_has_to_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere/at/all")
    notify("READY=1")
    monkeypatch.delenv("NOTIFY_SOCKET")
    notify("READY=1")
