"""The smaller parts of the daemon: mailboxes, retention, the log, systemd."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailguard.errors import OperationError
from mailguard.feedback.envelope import Way
from mailguard.feedback.mail import read_mail
from mailguard.settings import RetentionSettings
from mailguard.sources.mailbox import Batch, Fetched, Outcome, Place
from mailguard.store import Store, open_store
from mailguard.store.seen import Folder, SeenMail, remember_seen
from mailguard.store.upkeep import Kind, check, may_prune
from mailguard.trust.grade import UNVERIFIED
from mailguard.worker.filer import Filer, StoreAway
from mailguard.worker.handling import Handled, Handler, MailOutcome
from mailguard.worker.judging import Judge, decide
from mailguard.worker.logs import OneLine, Sparing
from mailguard.worker.mailboxes import SeenInStore, _take, recogniser
from mailguard.worker.notify import keep_telling, notify, watchdog_s
from mailguard.worker.readers import Readers
from mailguard.worker.retention import Age, due, keep_pruning, prune_once
from mailguard.worker.telling import Trouble, tell
from mailguard.worker.wire import ReadingSettings
from tests.store import samples
from tests.store.samples import BEGIN
from tests.store.test_other_reports import failure_mail, tls, tls_mail
from tests.worker.mails import (
    ABOUT_A_REPORT,
    FAILURE_REPORT,
    ORDINARY,
    UNREADABLE,
    mail_bytes,
    mail_in_part,
    poison,
    report_mail,
)
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
        (b"", False),
        (b"Subject: hello\r\n\r\nSubject: Report Domain: example.jp\r\n", False),
    ],
)
async def test_only_reports_are_taken_from_a_mailbox(raw: bytes, ours: bool) -> None:
    async with Readers(ReadingSettings(), processes=1, program="tests.worker.poisoned_child") as readers:
        assert await asyncio.to_thread(recogniser(readers), raw) is ours


async def test_a_mail_that_cannot_be_read_is_asked_for_again_and_then_left_alone() -> None:
    async with Readers(ReadingSettings(), processes=1, program="tests.worker.poisoned_child") as readers:
        is_report = recogniser(readers)
        crashing = poison("crash").raw.replace(b"Subject:", b"X-Subject:")
        looks = [await asyncio.to_thread(is_report, crashing) for _ in range(3)]
        assert looks == [None, None, False]
        assert await asyncio.to_thread(is_report, mail_bytes("a").replace(b"Subject:", b"X-Subject:")) is True


async def test_nobody_knows_what_a_mail_is_while_no_process_starts() -> None:
    class Broken:
        async def read(self, mail: object) -> None:
            raise OperationError("A process for reading mails did not start.")

    is_report = recogniser(Broken())  # type: ignore[arg-type]
    assert [await asyncio.to_thread(is_report, b"a") for _ in range(9)] == [None] * 9


@pytest.mark.parametrize("wanted", [True, False])
async def test_a_failure_report_is_taken_from_a_mailbox_where_it_is_wanted(wanted: bool) -> None:
    async with Readers(ReadingSettings(failure_reports=wanted), processes=1) as readers:
        assert await asyncio.to_thread(recogniser(readers), FAILURE_REPORT.raw) is wanted


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
        (MailOutcome.IGNORED, Outcome.NO_REPORT),
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
    assert {one: batch.committed(one) for one in Outcome if batch.committed(one)} == (
        {committed: (7,)} if committed else {}
    )


async def test_a_letter_about_a_report_is_left_alone(tmp_path: Path) -> None:
    """Its subject looks like a report's, so it is read; nothing in it is one, so it is somebody's."""
    fetched = Fetched(7, ABOUT_A_REPORT)
    batch = Batch(PLACE, (fetched,))
    told: list[Handled] = []
    async with (
        Filer(lambda: open_store(tmp_path / "reports.db")) as filer,
        Readers(ReadingSettings(), processes=1) as readers,
    ):
        assert await asyncio.to_thread(recogniser(readers), ABOUT_A_REPORT.raw)
        await _take(Handler(readers=readers, filer=filer, judge=Judge(None)), batch, fetched, told.append)
    assert batch.committed(Outcome.NO_REPORT) == (7,)
    assert not batch.committed(Outcome.DONE)
    assert not batch.committed(Outcome.FAILED)
    assert not told


def test_every_kind_of_data_has_its_days() -> None:
    retention = RetentionSettings(sums_days=5)
    assert {kind for kind, _ in due(retention)} == set(Kind)
    assert dict(due(retention))[Kind.SUMS] == 5
    assert Kind.SUMS not in dict(due(RetentionSettings(sums_days=0)))


async def test_what_is_older_than_its_time_goes(tmp_path: Path) -> None:
    from tests.worker.test_filer import filed

    path = tmp_path / "reports.db"
    old = filed("old")
    async with Filer(lambda: open_store(path)) as filer:
        await filer.add(old)
        later = old.mail.received_at + 1.5 * DAY_S
        pruning = asyncio.create_task(
            keep_pruning(filer, RetentionSettings(raw_days=1), first_after_s=0, now=lambda: later)
        )

        def raw_is_gone() -> bool:
            with open_store(path) as store:
                return store.database.rows("SELECT raw FROM mail") == [(None,)]

        await until(raw_is_gone)
        pruning.cancel()
        with pytest.raises(asyncio.CancelledError):
            await pruning


async def test_a_clock_that_jumps_deletes_nothing_and_is_told_about_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "db"
    start = fill(path)
    age = Age()
    with open_store(path) as store:
        for moment in (start + 400 * DAY_S, start + 401 * DAY_S):
            age.look(store, moment)
            assert not age.believed
    assert len([one for one in caplog.messages if "the clock" in one]) == 1


@pytest.mark.parametrize(
    ("days", "believed"),
    [
        ([0, 1, 2, 3], [True, True, True, True]),
        ([0, 400, 401], [True, False, False]),
        ([400], [False]),  # the first look ever; the last mail is of day 0
        ([0, 400, 1, 2], [True, False, True, True]),  # put right
        ([0, 30, 31, 32, 33, 34, 35, 36, 37, 38], [True, *[False] * 7, True, True]),  # it was switched off for a month
        ([0, 1, -400, -399, 2], [True, True, True, True, False]),
    ],
)
def test_a_clock_is_believed_when_it_goes_on_as_clocks_do(
    tmp_path: Path, days: list[int], believed: list[bool]
) -> None:
    path = tmp_path / "db"
    start = fill(path)
    with open_store(path) as store:
        assert [may_prune(store.database, start + day * DAY_S) for day in days] == believed


DAY_S = 86_400
EVERYTHING_OLD = RetentionSettings(
    raw_days=3,
    records_days=4,
    unverified_days=5,
    tls_days=6,
    failures_days=7,
    sums_days=8,
    mailbox_days=9,
    audits_days=10,
)
WHAT_IS_LEFT = {
    "raw": "SELECT COUNT(*) FROM mail WHERE raw IS NOT NULL",
    "records": "SELECT COUNT(*) FROM record",
    "unverified": "SELECT COUNT(*) FROM report WHERE grade = 'unverified'",
    "tls": "SELECT COUNT(*) FROM tls_policy",
    "failures": "SELECT COUNT(*) FROM failure_report",
    "sums": "SELECT (SELECT COUNT(*) FROM rollup_day) + (SELECT COUNT(*) FROM rollup_source)",
    "mailbox": "SELECT COUNT(*) FROM mailbox_mail",
    "audits": "SELECT COUNT(*) FROM audit",
}


def fill(path: Path) -> int:
    """One of everything, all of the same moment; what moment that is."""
    day = BEGIN // DAY_S * DAY_S
    with open_store(path) as store:
        mails = (
            samples.filed(samples.report(samples.record(), begin=day)),
            samples.filed(samples.report(samples.record(), report_id="forged", begin=day), trust=UNVERIFIED),
            tls_mail(tls()),
            failure_mail(),
        )
        store.add([replace(one, mail=replace(one.mail, received_at=day)) for one in mails])
        folder = Folder("u", "imap.example.jp", "INBOX", 1)
        remember_seen(store.database, folder, [SeenMail(1, "no-report", day)], "reader")
        store.keep_audit({"domain": "clinic.example.jp", "as_of": datetime.fromtimestamp(day, UTC).isoformat()})
    return day


async def test_each_kind_of_data_goes_on_its_own_day_and_no_sooner(tmp_path: Path) -> None:
    path = tmp_path / "db"
    start = fill(path)
    gone_on: dict[str, int] = {}
    async with Filer(lambda: open_store(path)) as filer:
        for days in range(12):
            await prune_once(filer, EVERYTHING_OLD, start + days * DAY_S + 1)
            with open_store(path) as store:
                for kind, sql in WHAT_IS_LEFT.items():
                    if store.database.rows(sql) == [(0,)]:
                        gone_on.setdefault(kind, days)
                assert list(check(store.database)) == []
    # Records and sums are of whole days: those of a day go when all of it is older. A second past is enough elsewhere.
    expected = {"raw": 3, "records": 5, "unverified": 5, "tls": 6, "failures": 7, "sums": 9, "mailbox": 9, "audits": 10}
    assert gone_on == expected


async def test_nothing_goes_that_is_kept_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "db"
    start = fill(path)
    for_ever = RetentionSettings(**dict.fromkeys((f"{kind}_days" for kind in Kind), 0))
    async with Filer(lambda: open_store(path)) as filer:
        await prune_once(filer, for_ever, start + 99_999 * DAY_S)
    with open_store(path) as store:
        assert all(store.database.rows(sql) != [(0,)] for sql in WHAT_IS_LEFT.values())


class Clock:
    now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


async def test_what_was_seen_in_a_mailbox_outlasts_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "db"
    async with Filer(lambda: open_store(path)) as filer:
        seen = SeenInStore(filer, "1.0", Clock())
        assert await asyncio.to_thread(seen.unseen, PLACE, [1, 2, 3]) == [1, 2, 3]
        seen.remember(PLACE, 1, Outcome.NO_REPORT)
        seen.remember(PLACE, 2, Outcome.DONE)
        assert await asyncio.to_thread(seen.unseen, PLACE, [1, 2, 3]) == [3]
    async with Filer(lambda: open_store(path)) as filer:
        again = SeenInStore(filer, "1.0")
        assert await asyncio.to_thread(again.unseen, PLACE, [1, 2, 3]) == [3]
        later_version = SeenInStore(filer, "1.1")
        assert await asyncio.to_thread(later_version.unseen, PLACE, [1, 2, 3]) == [1, 3]
        anew = replace(PLACE, validity=2)
        assert await asyncio.to_thread(again.unseen, anew, [1, 2, 3]) == [1, 2, 3]
    with open_store(path) as store:
        assert store.database.rows("SELECT COUNT(*) FROM mailbox_mail") == [(0,)]  # of another life of the folder


async def test_what_was_seen_while_the_database_was_away_is_written_later(tmp_path: Path) -> None:
    path = tmp_path / "db"
    away = True

    def opening() -> Store:
        if away:
            raise OperationError("The database is away.")
        return open_store(path)

    async with Filer(opening) as filer:
        seen = SeenInStore(filer, "1.0", Clock())
        assert await asyncio.to_thread(seen.unseen, PLACE, [1, 2]) == [1, 2]
        seen.remember(PLACE, 1, Outcome.NO_REPORT)
        assert await asyncio.to_thread(seen.unseen, PLACE, [1, 2]) == [2]
        away = False
        assert await asyncio.to_thread(seen.unseen, PLACE, [1, 2]) == [2]
    with open_store(path) as store:
        assert store.database.rows("SELECT uid, remembered_at FROM mailbox_mail") == [(1, int(Clock.now))]


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


def test_the_log_warns_of_a_mail_that_was_read_in_part(caplog: pytest.LogCaptureFixture) -> None:
    mail = mail_in_part("good")
    contents = read_mail(mail.raw)
    _, reason = decide(mail, contents)
    tell(Handled(mail, MailOutcome.STORED, reason, contents))
    ((level, said),) = ((one.levelno, one.getMessage()) for one in caplog.records)
    assert level == logging.WARNING
    assert "Not everything in this mail could be read: broken.xml.gz: " in said


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
