"""What the worker does when something of ours breaks: the disk, a file, our own code."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mailguard.feedback.envelope import ReceivedMail
from mailguard.worker.judging import Judge
from tests.worker.mails import NOW, report_mail
from tests.worker.test_worker import House, signed_mail
from tests.worker.until import until


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


async def test_a_mistake_of_ours_costs_one_mail_and_not_those_beside_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Judge.file

    def file(judge: Judge, mail: ReceivedMail, *more: object) -> object:
        if mail == report_mail("bad"):
            raise KeyError("nobody thought of this")
        return real(judge, mail, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(Judge, "file", file)
    house.shelf.put([report_mail("a"), report_mail("bad"), report_mail("b")])
    assert await house.work() == ["quarantined", "stored", "stored"]
    (reason,) = house.quarantine()
    assert reason.startswith("mailguard itself failed on this mail (KeyError)")
    assert house.is_empty


async def test_a_worker_that_breaks_does_not_stand_there_as_if_it_worked(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house.worker() as worker:
        monkeypatch.setattr(house.shelf, "claim", lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            await asyncio.wait_for(worker.run(asyncio.Event()), 5)


async def test_a_disk_that_refuses_is_told_once_and_got_over(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("mailguard.worker.worker._TROUBLE_PAUSE_S", 0.01)
    house.shelf.put([report_mail("a")])
    away = house.shelf.work.with_name("away")
    house.shelf.work.rename(away)
    house.shelf.new.rename(house.shelf.path / "newer")
    looks, claim = [], house.shelf.claim
    monkeypatch.setattr(house.shelf, "claim", lambda: looks.append(1) or claim())
    stop = asyncio.Event()
    async with house.worker() as worker:
        running = asyncio.create_task(worker.run(stop))
        await until(lambda: len(looks) > 10)
        away.rename(house.shelf.work)
        (house.shelf.path / "newer").rename(house.shelf.new)
        await until(lambda: house.handled)
        stop.set()
        await running
    assert house.reports() == ["a"]
    assert sum("take mails from the spool" in line for line in caplog.messages) == 2, caplog.messages


async def test_a_mail_that_cannot_be_checked_again_does_not_keep_the_others_waiting(house: House) -> None:
    house.later.put(signed_mail(), 1)
    (good,) = (house.shelf.path / "later").iterdir()
    bad = good.with_name(f"{1:012d}.1.{'0' * 64}.mails")
    bad.mkdir()  # cannot be read, and sorts first
    house.later._now = lambda: NOW + 700.0
    stop = asyncio.Event()
    async with house.worker() as worker:
        running = asyncio.create_task(worker.run(stop))
        await until(lambda: house.handled and not good.exists())
        stop.set()
        await running
