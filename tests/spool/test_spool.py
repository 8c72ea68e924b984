"""Putting mails: the order of the steps, what a failure at each of them leads to, and where there is an end."""

from __future__ import annotations

import asyncio
import errno
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from mailguard.spool import Shelf, Spool, SpoolError, SpoolFull, SpoolSettings
from tests.spool.mails import WatchedDisk, mail

STEPS = ["create tmp", "write", "sync", "close", "rename tmp new", "sync folder new"]


def mails_in(spool: Spool) -> list[str]:
    """What a new process would find."""
    shelf = Shelf(spool.shelf.path)
    shelf.recover()
    found = []
    while file := shelf.claim():
        batch = shelf.read(file)
        assert batch.damage == ()
        found += [kept.raw.decode().split()[1] for kept in batch.mails]
    return found


async def test_a_mail_is_on_the_disk_before_put_returns(tmp_path: Path) -> None:
    disk = WatchedDisk()
    async with Spool(tmp_path / "spool", disk=disk) as spool:
        disk.steps.clear()
        await spool.put(mail("one"))
        assert disk.steps == STEPS
    assert mails_in(spool) == ["one"]


async def test_new_folders_are_on_the_disk_before_the_first_mail(tmp_path: Path) -> None:
    disk = WatchedDisk()
    async with Spool(tmp_path / "spool", disk=disk):
        assert disk.steps == ["sync folder spool", f"sync folder {tmp_path.name}"]


@pytest.mark.parametrize("step", [*STEPS, "half a write"])
async def test_no_failure_acknowledges_a_mail(tmp_path: Path, step: str) -> None:
    disk = WatchedDisk()
    async with Spool(tmp_path / "spool", disk=disk) as spool:
        await spool.put(mail("before"))
        disk.fail_at = step
        with pytest.raises(SpoolError):
            await spool.put(mail("failed"))
        assert list(spool.shelf.tmp.iterdir()) == []
        disk.fail_at = ""
        await spool.put(mail("after"))
    found = mails_in(spool)
    # Once renamed, the mail may be there although its sender was told to come again.
    assert found == (["before", "failed", "after"] if step == "sync folder new" else ["before", "after"])


async def test_a_file_whose_sync_failed_is_never_synced_again(tmp_path: Path) -> None:
    disk = WatchedDisk()
    async with Spool(tmp_path / "spool", disk=disk) as spool:
        disk.fail_at = "sync"
        disk.steps.clear()
        with pytest.raises(SpoolError):
            await spool.put(mail())
        assert disk.steps == ["create tmp", "write", "sync", "close"]


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("step", range(len(STEPS) + 1))
def test_a_crash_at_any_step_loses_nothing_acknowledged(tmp_path: Path, step: int) -> None:
    """The file system as it is when the process is killed just before a step; what was not synced counts as lost."""

    class Dying(WatchedDisk):
        def _step(self, name: str) -> None:
            if len(self.steps) == step:
                raise Killed
            super()._step(name)

        def remove(self, path: Path) -> None:
            """A process that was killed removes nothing."""

    shelf = Shelf(tmp_path / "spool")
    shelf.prepare()
    shelf.put([mail("before")])
    acknowledged = ["before"]
    try:
        Shelf(tmp_path / "spool", disk=Dying()).put([mail("dying")])
        acknowledged.append("dying")
    except Killed:
        pass
    after = Shelf(tmp_path / "spool")
    after.recover()
    found = []
    while file := after.claim():
        batch = after.read(file)
        assert batch.damage == ()
        found += [kept.raw.decode().split()[1] for kept in batch.mails]
    assert set(acknowledged) <= set(found)
    assert list(after.tmp.iterdir()) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
async def test_a_full_disk_is_told_as_such_and_got_over(tmp_path: Path, code: int) -> None:
    disk, time = WatchedDisk(), [0.0]
    async with Spool(tmp_path / "spool", disk=disk, clock=lambda: time[0]) as spool:
        assert spool.has_room(1000)
        disk.fail_at, disk.code = "write", code
        with pytest.raises(SpoolFull):
            await spool.put(mail())
        assert not spool.has_room()
        time[0] += 1.1
        disk.fail_at = ""
        assert spool.has_room()
        await spool.put(mail())


@pytest.mark.parametrize("code", [errno.EIO, errno.EROFS, errno.EACCES, errno.ENOENT, errno.EMFILE])
async def test_other_trouble_is_no_lack_of_room(tmp_path: Path, code: int) -> None:
    disk = WatchedDisk()
    async with Spool(tmp_path / "spool", disk=disk) as spool:
        disk.fail_at, disk.code = "create", code
        with pytest.raises(SpoolError) as caught:
            await spool.put(mail())
    assert not isinstance(caught.value, SpoolFull)


async def test_mails_that_wait_while_the_disk_is_busy_become_one_file(tmp_path: Path) -> None:
    disk = HeldDisk()
    async with Spool(tmp_path / "spool", disk=disk) as spool:
        first = asyncio.ensure_future(spool.put(mail("0")))
        await asyncio.to_thread(disk.writing.wait, 5)
        others = [asyncio.ensure_future(spool.put(mail(str(number)))) for number in range(1, 10)]
        await asyncio.sleep(0)
        assert not any(one.done() for one in (first, *others))
        disk.let_go.set()
        await asyncio.gather(first, *others)
        assert len(list(spool.shelf.new.iterdir())) == 2
    assert sorted(mails_in(spool)) == [str(number) for number in range(10)]


async def test_a_slow_disk_is_given_a_second_batch_and_no_third(tmp_path: Path) -> None:
    disk = HeldDisk()
    async with Spool(tmp_path / "spool", disk=disk) as spool:
        mails = []
        for number in range(5):
            mails.append(asyncio.ensure_future(spool.put(mail(str(number)))))
            await asyncio.sleep(0.01)
        assert len(list(spool.shelf.tmp.iterdir())) == 2
        disk.let_go.set()
        await asyncio.gather(*mails)
        assert len(list(spool.shelf.new.iterdir())) == 3
    assert sorted(mails_in(spool)) == ["0", "1", "2", "3", "4"]


async def test_a_batch_that_fails_is_refused_as_a_whole(tmp_path: Path) -> None:
    disk = WatchedDisk()
    async with Spool(tmp_path / "spool", disk=disk) as spool:
        disk.fail_at = "rename"
        answers = await asyncio.gather(*(spool.put(mail(str(n))) for n in range(5)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [SpoolError] * 5
    assert mails_in(spool) == []


async def test_a_file_has_an_end(tmp_path: Path) -> None:
    settings = SpoolSettings(batch_mails=3, batch_bytes=1000)
    async with Spool(tmp_path / "spool", settings, disk=WatchedDisk()) as spool:
        await asyncio.gather(*(spool.put(mail(str(number))) for number in range(7)))
        assert len(list(spool.shelf.new.iterdir())) == 3
        await asyncio.gather(*(spool.put(mail("x" * 600)) for _ in range(2)))
        assert len(list(spool.shelf.new.iterdir())) == 5


async def test_who_stops_waiting_does_not_stop_the_writing(tmp_path: Path) -> None:
    async with Spool(tmp_path / "spool", disk=WatchedDisk()) as spool:
        spool.put(mail("one")).cancel()
        await spool.put(mail("two"))
    assert sorted(mails_in(spool)) == ["one", "two"]


async def test_leaving_writes_what_was_put(tmp_path: Path) -> None:
    async with Spool(tmp_path / "spool") as spool:
        waiting = [spool.put(mail(str(number))) for number in range(5)]
    await asyncio.gather(*waiting)
    assert len(mails_in(spool)) == 5
    with pytest.raises(SpoolError, match="not open"):
        await spool.put(mail())


async def test_a_spool_has_one_owner(tmp_path: Path) -> None:
    async with Spool(tmp_path / "spool") as spool:
        await spool.put(mail())
        claimed = spool.shelf.claim()
        with pytest.raises(SpoolError, match="Another process"):
            await Spool(tmp_path / "spool").__aenter__()
        assert claimed is not None
        assert claimed.exists()
    async with Spool(tmp_path / "spool"):
        assert not claimed.exists()


async def test_room_is_kept_on_the_disk(tmp_path: Path) -> None:
    disk = WatchedDisk()
    async with Spool(tmp_path / "spool", SpoolSettings(free_bytes=10_000), disk=disk) as spool:
        disk.free = 10_010
        with pytest.raises(SpoolFull, match="10010 bytes left"):
            await spool.put(mail())
        disk.free = 20_000
        await spool.put(mail())


@pytest.mark.parametrize("settings", [SpoolSettings(waiting_files=2), SpoolSettings(waiting_bytes=60)])
async def test_mails_that_nobody_reads_do_not_pile_up(tmp_path: Path, settings: SpoolSettings) -> None:
    async with Spool(tmp_path / "spool", settings, disk=WatchedDisk()) as spool:
        for _ in range(2 if settings.waiting_files == 2 else 1):
            await spool.put(mail("a" * 10))
        for _ in range(2):
            with pytest.raises(SpoolFull, match="Too much waits"):
                await spool.put(mail("a" * 10))
        while file := spool.shelf.claim():
            spool.shelf.done(file)
        await spool.put(mail("a" * 10))


async def test_what_waited_before_the_start_counts(tmp_path: Path) -> None:
    async with Spool(tmp_path / "spool", disk=WatchedDisk()) as spool:
        await spool.put(mail())
    async with Spool(tmp_path / "spool", SpoolSettings(waiting_files=1), disk=WatchedDisk()) as spool:
        with pytest.raises(SpoolFull):
            await spool.put(mail())


class HeldDisk(WatchedDisk):
    """The first write waits until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.writing, self.let_go = threading.Event(), threading.Event()

    def write(self, file: int, pieces: Sequence[bytes]) -> None:
        self.writing.set()
        self.let_go.wait(5)
        super().write(file, pieces)
