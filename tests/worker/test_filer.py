"""Storing what is waiting: one transaction for many, patience, and who is to blame."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from mailguard.errors import OperationError
from mailguard.feedback.mail import read_mail
from mailguard.store.values import Filed, Outcome, Stored
from mailguard.trust.grade import UNVERIFIED
from mailguard.worker.filer import Filer, Keeper, StoreAway, StoreRefused
from tests.worker.mails import report_mail
from tests.worker.until import until


class Database:
    """A store in memory that can be away, slow, or particular about a mail."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.away = False
        self.refuses: set[str] = set()
        self.breaks_at: set[str] = set()
        self.go = threading.Event()
        self.go.set()
        self.opened = 0

    def open(self) -> Keeper:
        if self.away:
            raise OperationError("nobody answers")
        self.opened += 1
        return self

    def add(self, batch: Sequence[Filed]) -> tuple[Stored, ...]:
        self.go.wait()
        ids = [filed.contents.reports[0].report_id for filed in batch]
        if self.away or self.refuses & set(ids):
            raise OperationError("it will not have it")
        if self.breaks_at & set(ids):
            raise ZeroDivisionError
        self.batches.append(ids)
        return tuple(Stored(number, True, (Outcome.STORED,)) for number, _ in enumerate(batch, 1))

    def close(self) -> None:
        pass

    @property
    def stored(self) -> list[str]:
        return [id for batch in self.batches for id in batch]


def filed(id: str) -> Filed:
    mail = report_mail(id)
    return Filed(mail, read_mail(mail.raw), (UNVERIFIED,))


class Clock:
    """Pauses that end when the test says so."""

    def __init__(self) -> None:
        self.pauses: list[float] = []
        self.begun = asyncio.Event()
        self.over = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.begun.set()
        await self.over.wait()


async def no_pause(seconds: float) -> None:
    await asyncio.sleep(0)


async def test_what_gathers_during_a_transaction_is_the_next_one() -> None:
    database = Database()
    database.go.clear()
    async with Filer(database.open) as filer:
        tasks = [asyncio.create_task(filer.add(filed("0")))]
        await until(lambda: database.opened)
        tasks += [asyncio.create_task(filer.add(filed(str(n)))) for n in range(1, 6)]
        await asyncio.sleep(0)
        database.go.set()
        await asyncio.gather(*tasks)
    assert database.batches == [["0"], ["1", "2", "3", "4", "5"]]


async def test_a_transaction_is_bounded() -> None:
    database = Database()
    async with Filer(database.open, batch_mails=3) as filer:
        await asyncio.gather(*(filer.add(filed(str(n))) for n in range(8)))
    assert max(map(len, database.batches)) <= 3
    assert sorted(database.stored) == [str(n) for n in range(8)]


async def test_mails_wait_while_the_database_is_away_and_none_is_lost() -> None:
    database, clock = Database(), Clock()
    database.away = True
    async with Filer(database.open, pause=clock) as filer:
        tasks = [asyncio.create_task(filer.add(filed(str(n)))) for n in range(5)]
        await clock.begun.wait()
        assert filer.away
        assert not any(task.done() for task in tasks)
        database.away = False
        clock.over.set()
        await asyncio.gather(*tasks)
        assert not filer.away
    assert sorted(database.stored) == list("01234")
    assert clock.pauses[0] < 1


async def test_pauses_grow_and_have_a_bound() -> None:
    database = Database()
    database.away = True
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        database.away = len(pauses) < 12
        await asyncio.sleep(0)

    async with Filer(database.open, pause=pause) as filer:
        await filer.add(filed("one"))
    assert pauses == sorted(pauses)
    assert pauses[-1] == 30.0


async def test_a_mail_that_the_store_will_not_have_fails_and_the_others_are_stored() -> None:
    database = Database()
    database.refuses = {"3"}
    async with Filer(database.open, pause=no_pause) as filer:
        tasks = [asyncio.create_task(filer.add(filed(str(n)))) for n in range(6)]
        number = 6
        while not tasks[3].done():  # others keep coming, which shows that the store is there
            tasks.append(asyncio.create_task(filer.add(filed(str(number)))))
            number += 1
            await asyncio.sleep(0.001)
        results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results[3], StoreRefused)
    assert [one for one in results if isinstance(one, BaseException)] == [results[3]]
    assert sorted(map(int, database.stored)) == [n for n in range(number) if n != 3]


async def test_a_mail_that_breaks_our_own_code_has_three_tries() -> None:
    database = Database()
    database.breaks_at = {"one"}
    async with Filer(database.open, pause=no_pause) as filer:
        with pytest.raises(StoreRefused, match="ZeroDivisionError"):
            await filer.add(filed("one"))
        await filer.add(filed("two"))
    assert database.stored == ["two"]


async def test_when_we_stop_whoever_waits_is_told() -> None:
    database, clock = Database(), Clock()
    database.away = True
    async with Filer(database.open, pause=clock) as filer:
        task = asyncio.create_task(filer.add(filed("one")))
        await clock.begun.wait()
    with pytest.raises(StoreAway):
        await task
    with pytest.raises(StoreAway):
        await filer.add(filed("two"))


async def test_a_transaction_under_way_is_finished_when_we_stop() -> None:
    database = Database()
    database.go.clear()
    filer = Filer(database.open)
    await filer.__aenter__()
    task = asyncio.create_task(filer.add(filed("one")))
    await until(lambda: database.opened)
    stopping = asyncio.create_task(filer.__aexit__(None, None, None))
    await asyncio.sleep(0)
    database.go.set()
    await stopping
    assert database.stored == ["one"]
    with pytest.raises(StoreAway):  # stored or not, nobody claims more than was seen; storing twice changes nothing
        await task


async def test_readers_wait_while_much_is_held() -> None:
    database = Database()
    database.go.clear()
    async with Filer(database.open, batch_mails=2) as filer:
        await asyncio.wait_for(filer.has_room(), 1)
        tasks = [asyncio.create_task(filer.add(filed(str(n)))) for n in range(8)]
        await asyncio.sleep(0)
        room = asyncio.create_task(filer.has_room())
        await asyncio.sleep(0)
        assert not room.done()
        database.go.set()
        await asyncio.gather(*tasks)
        await asyncio.wait_for(room, 5)
