"""Reading processes: real ones, and what mails can do to them."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from mailguard.errors import OperationError
from mailguard.inquiry import Answer, Question, Status
from mailguard.settings import parse_settings
from mailguard.worker import wire
from mailguard.worker.readers import Readers, ReadFailed
from mailguard.worker.reasons import TOOK_TOO_LONG, TOOK_TOO_MUCH_MEMORY
from mailguard.worker.service import reading_settings
from mailguard.worker.wire import ReadingSettings, Reply, decode_reply, encode_reply
from tests.worker.mails import ORDINARY, mail_in_part, poison, report_mail
from tests.worker.until import until

POISONED = "tests.worker.poisoned_child"


@pytest_asyncio.fixture
async def readers() -> AsyncIterator[Readers]:
    async with Readers(ReadingSettings(), processes=2, mail_s=20.0, program=POISONED) as made:
        yield made


async def no_answer(questions: tuple[Question, ...]) -> tuple[Answer, ...]:
    return tuple(Answer(question, Status.NXDOMAIN) for question in questions)


async def test_a_mail_is_read_in_another_process(readers: Readers) -> None:
    read = await readers.read(report_mail("one", records=3))
    assert [(report.report_id, len(report.records)) for report in read.contents.reports] == [("one", 3)]
    assert read.authentication is None
    assert readers.pids
    assert os.getpid() not in readers.pids


async def test_questions_come_out_and_answers_go_in(readers: Readers) -> None:
    asked: list[Question] = []

    async def ask(questions: tuple[Question, ...]) -> tuple[Answer, ...]:
        asked.extend(questions)
        return await no_answer(questions)

    read = await readers.read(report_mail("one"), ask)
    assert read.authentication is not None
    assert read.authentication.author == "reporter.example"
    assert len(asked) == len(set(asked)) > 0
    assert len(read.contents.reports) == 1


async def test_many_mails_share_few_processes(readers: Readers) -> None:
    reads = await asyncio.gather(*(readers.read(report_mail(str(n)), no_answer) for n in range(50)))
    assert [read.contents.reports[0].report_id for read in reads] == [str(n) for n in range(50)]
    assert len(readers.pids) <= 2


@pytest.mark.parametrize("kind", ["crash", "exit", "raise"])
async def test_a_mail_that_breaks_its_process_fails_and_the_next_is_read(readers: Readers, kind: str) -> None:
    with pytest.raises(ReadFailed):
        await readers.read(poison(kind))
    assert (await readers.read(report_mail("after"))).contents.reports


async def test_a_mail_that_grows_its_process_fails(readers: Readers) -> None:
    with pytest.raises(ReadFailed) as caught:
        await readers.read(poison("grow"))
    assert caught.value.reason == TOOK_TOO_MUCH_MEMORY
    assert (await readers.read(report_mail("after"))).contents.reports


@pytest.mark.parametrize("kind", ["hang", "spin"])
async def test_a_mail_that_takes_too_long_fails_in_time(kind: str) -> None:
    async with Readers(ReadingSettings(), processes=1, mail_s=1.0, program=POISONED) as readers:
        await readers.read(ORDINARY)  # the process has started
        began = time.monotonic()
        with pytest.raises(ReadFailed) as caught:
            await readers.read(poison(kind))
        assert caught.value.reason == TOOK_TOO_LONG
        assert time.monotonic() - began < 8


async def test_a_mail_is_read_that_is_as_large_as_the_settings_allow() -> None:
    mib = 1024**2
    box = "[[mailbox]]\nhost = 'imap.example.jp'\nuser = 'dmarc'\npassword_file = 'secret'\n"
    ours = "[trust]\ndomains = ['example.jp']\n"
    settings = parse_settings(f"{ours}{box}mail_bytes = {20 * mib}\n", "mailguard.toml")
    mail = mail_in_part("good")
    begun = mail.raw.removesuffix(b"--b--\r\n")
    large = replace(mail, raw=begun + b"--b\r\n\r\n" + (b"x" * 76 + b"\r\n") * 220_000 + b"--b--\r\n")
    assert 16 * mib < len(large.raw) < 20 * mib
    async with Readers(reading_settings(settings), processes=1) as readers:
        (report,) = (await readers.read(large)).contents.reports
    assert report.report_id == "good"


async def test_cpu_is_bounded_by_the_system_too() -> None:
    settings = ReadingSettings(cpu_s=1)
    async with Readers(settings, processes=1, mail_s=60.0, program=POISONED) as readers:
        with pytest.raises(ReadFailed) as caught:
            await readers.read(poison("spin"))
        assert caught.value.reason == TOOK_TOO_LONG


async def test_a_crash_costs_no_other_mail(readers: Readers) -> None:
    good = [readers.read(report_mail(str(n)), no_answer) for n in range(30)]
    bad = [readers.read(poison("crash", str(n))) for n in range(5)]
    results = await asyncio.gather(*good[:15], *bad, *good[15:], return_exceptions=True)
    failed = [result for result in results if isinstance(result, ReadFailed)]
    assert len(failed) == 5
    assert not [result for result in results if isinstance(result, BaseException) and result not in failed]


async def test_a_process_that_was_killed_while_idle_is_replaced(readers: Readers) -> None:
    await readers.read(ORDINARY)
    (pid,) = readers.pids
    os.kill(pid, signal.SIGKILL)
    await until(lambda: pid not in readers.pids)
    assert (await readers.read(report_mail("after"))).contents.reports
    assert pid not in readers.pids


async def test_a_process_that_died_unseen_leaves_nothing_of_its_channel_behind() -> None:
    """The next process gets the number of its channel, and must be heard there."""
    async with Readers(ReadingSettings(), processes=1, mail_s=20.0, program=POISONED) as readers:
        await readers.read(ORDINARY)
        hanging = asyncio.create_task(readers.read(poison("hang")))
        await asyncio.sleep(0.1)
        (pid,) = readers.pids
        os.kill(pid, signal.SIGKILL)
        while readers.pids:
            time.sleep(0.001)  # noqa: ASYNC251 - the loop must not hear of it
        async with asyncio.timeout(30):
            assert (await readers.read(report_mail("after"))).contents.reports
        hanging.cancel()


async def test_a_process_that_has_grown_is_replaced(readers: Readers) -> None:
    await readers.read(poison("swell"))
    (first,) = readers.pids
    await readers.read(ORDINARY)
    await readers.read(ORDINARY)
    assert first not in readers.pids


async def test_whoever_stops_waiting_leaves_nothing_behind(readers: Readers) -> None:
    stuck = asyncio.Event()

    async def ask(questions: tuple[Question, ...]) -> tuple[Answer, ...]:
        stuck.set()
        await asyncio.Event().wait()
        raise AssertionError

    task = asyncio.create_task(readers.read(report_mail("one"), ask))
    await stuck.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await readers.read(report_mail("two"))).contents.reports[0].report_id == "two"


async def test_a_program_that_does_not_start_is_our_failure() -> None:
    async with Readers(ReadingSettings(), processes=1, program="tests.worker.no_such_child") as readers:
        with pytest.raises(OperationError, match="did not start"):
            await readers.read(ORDINARY)


async def test_processes_end_with_their_owner() -> None:
    async with Readers(ReadingSettings(), processes=1) as readers:
        await readers.read(ORDINARY)
        (pid,) = readers.pids
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_the_process_sees_no_secret_of_ours(readers: Readers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILGUARD_PASSWORD", "swordfish")
    await readers.read(ORDINARY)
    (pid,) = readers.pids
    environ = await asyncio.to_thread(Path(f"/proc/{pid}/environ").read_bytes)
    assert b"PATH=" in environ
    assert b"swordfish" not in environ


class Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return (os.system, ("false",))


@pytest.mark.parametrize("value", [Evil(), Reply(detail=Evil()), {"no": "reply"}, Path("x")])  # type: ignore[arg-type]
def test_a_reply_can_only_hold_our_values(value: object) -> None:
    with pytest.raises(ValueError, match="reply"):
        decode_reply(pickle.dumps(value))


@pytest.mark.parametrize("data", [b"", b"garbage", encode_reply(Reply())[:-3]])
def test_a_reply_that_is_no_pickle_is_told(data: bytes) -> None:
    with pytest.raises(ValueError, match="reply"):
        decode_reply(data)


def test_values_that_a_reply_may_hold_have_no_behaviour() -> None:
    assert {kind.__module__.split(".")[1] for kind in wire._values()} <= {
        *("feedback", "trust", "names", "inquiry", "spf", "worker"),
    }
