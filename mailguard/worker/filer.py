"""Storing what is waiting, many mails in one transaction, and patience with a database that is away."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Protocol, Self, TypeVar

from mailguard.errors import MailguardError, OperationError
from mailguard.spool.reason import Reason
from mailguard.store.values import Filed, Stored

log = logging.getLogger(__name__)
T = TypeVar("T")

MAX_REFUSALS: Final = 3

_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 30.0
_READY_PAUSE_S: Final = 5.0


class Keeper(Protocol):
    """What the filer needs of a ``Store``."""

    def add(self, batch: Sequence[Filed]) -> tuple[Stored, ...]:
        """Store mails in one transaction; durable on return. Raises OperationError when it cannot be done."""

    def close(self) -> None:
        """Close the connection."""


class Archive(Keeper, Protocol):
    """A ``Keeper`` that knows what it keeps."""

    def known_names(self) -> list[tuple[str, str]]:
        """Names with the domains that are proved to have reported under them."""


class StoreAway(OperationError):
    """We are stopping, and the mail is not stored."""


class StoreRefused(Exception):
    """The store takes other mails and will not have this one."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(str(reason))
        self.reason: Final = reason


@dataclass(slots=True, eq=False)
class _Item:
    filed: Filed
    stored: asyncio.Future[Stored]
    records: int
    refusals: int = 0


class Filer:
    """``async with Filer(lambda: open_store(path)) as filer: await filer.add(filed)``.

    One thread has the store. While it writes, mails gather; they are its next transaction. ``add`` waits for as long
    as the database is away; where nobody is ``patient`` it raises what the store raised.

    Bounds of one transaction: ``batch_mails``, and ``batch_records`` unless one mail has more. ``has_room`` lets those
    who read wait while twice as much is held.
    """

    def __init__(
        self,
        open_store: Callable[[], Keeper],
        *,
        batch_mails: int = 256,
        batch_records: int = 20_000,
        patient: bool = True,
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._open_store = open_store
        self._batch_mails = batch_mails
        self._batch_records = batch_records
        self._patient = patient
        self._pause = pause
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mailguard-store")
        self._store: Keeper | None = None
        self._waiting: deque[_Item] = deque()
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._held = 0  # records of mails that are waiting or being written
        self._task: asyncio.Task[None] | None = None
        self._away = False

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="filer")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish the transaction under way. Mails that still wait are told StoreAway."""
        assert self._task is not None
        self._task.cancel()
        await asyncio.wait({self._task})
        for item in self._waiting:
            if not item.stored.done():
                item.stored.set_exception(StoreAway("The mail was not stored, because mailguard is stopping."))
        self._waiting.clear()
        await self._call(self._close)
        self._thread.shutdown(wait=False)

    @property
    def away(self) -> bool:
        """Whether the database did not answer when it was last asked."""
        return self._away

    async def add(self, filed: Filed) -> Stored:
        """Return when the mail is durable in the store. Raises StoreRefused, or StoreAway when we stop before that.

        After StoreAway the mail may be stored all the same.
        """
        records = sum(len(report.records) for report in filed.contents.reports)
        item = _Item(filed, asyncio.get_running_loop().create_future(), records)
        if self._task is None or self._task.done():
            raise StoreAway("The mail was not stored, because mailguard is stopping.")
        self._waiting.append(item)
        self._hold(records)
        self._news.set()
        try:
            return await item.stored
        finally:
            self._hold(-records)

    async def do(self, job: Callable[[Keeper], T]) -> T:
        """Do something else with the store, between two transactions. Raises what that raises."""
        return await self._call(self._do_now, job)

    async def ready(self) -> None:
        """Return when the store is open, however long that takes."""
        while True:
            try:
                return await self.do(_nothing)
            except OperationError as error:
                if not self._patient:
                    raise
                self._note_away(error)
                await self._pause(_READY_PAUSE_S)

    async def has_room(self) -> None:
        """Return when something more may be read."""
        await self._room.wait()

    def _hold(self, records: int) -> None:
        self._held += records
        if self._held < 2 * self._batch_records and len(self._waiting) < 2 * self._batch_mails:
            self._room.set()
        else:
            self._room.clear()

    async def _run(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while True:
            await self._news.wait()
            self._news.clear()
            while batch := self._take():
                if await self._write(batch):
                    pause_s = _FIRST_PAUSE_S
                    continue
                await self._pause(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _take(self) -> list[_Item]:
        """What is waiting, as far as it fits into one transaction."""
        batch: list[_Item] = []
        records = 0
        while self._waiting and len(batch) < self._batch_mails and (not batch or records < self._batch_records):
            item = self._waiting.popleft()
            if not item.stored.done():  # else nobody waits for it any more
                batch.append(item)
                records += item.records
        return batch

    async def _write(self, batch: list[_Item]) -> bool:
        """Store a batch; false when the database is away and its mails wait again."""
        try:
            error = await self._add(batch)
            if error is None:
                return True
            if len(batch) == 1:
                return self._put_back(batch, error)
            return await self._write_singly(batch)
        except asyncio.CancelledError:
            self._waiting.extendleft(reversed(batch))
            raise

    async def _write_singly(self, batch: list[_Item]) -> bool:
        """Find out whether it is one mail that the store will not have, or the store that is away."""
        failed: list[tuple[_Item, Exception]] = []
        for item in batch:
            error = await self._add([item])
            if error is not None:
                failed.append((item, error))
            if len(failed) == 2 and len(failed) == batch.index(item) + 1 and isinstance(error, MailguardError):
                return self._put_back(batch, error)
        if len(failed) == len(batch):
            return self._put_back(batch, failed[-1][1])
        for item, error in failed:
            self._refuse(item, error)
        return True

    def _put_back(self, batch: list[_Item], error: Exception) -> bool:
        """The database is away; or something in us is broken, and then a mail has three tries."""
        if not isinstance(error, MailguardError):
            for item in batch:
                self._refuse(item, error)
            return False
        if not self._patient:
            for item in batch:
                if not item.stored.done():
                    item.stored.set_exception(error)
            return True
        self._note_away(error)
        self._waiting.extendleft(item for item in reversed(batch) if not item.stored.done())
        return False

    def _note_away(self, error: Exception) -> None:
        if not self._away:
            log.error("mails wait until the database answers again: %s", error)
        self._away = True

    def _refuse(self, item: _Item, error: Exception) -> None:
        if item.stored.done():
            return
        item.refusals += 1
        if item.refusals >= MAX_REFUSALS:
            why = str(error) if isinstance(error, MailguardError) else type(error).__name__
            item.stored.set_exception(StoreRefused(Reason("refused-by-database", {"why": why[:300]})))
        else:
            self._waiting.append(item)

    async def _add(self, items: list[_Item]) -> Exception | None:
        """Store mails in one transaction; what went wrong otherwise."""
        waiting = [item for item in items if not item.stored.done()]
        try:
            stored = await self._call(self._add_now, [item.filed for item in waiting])
        except Exception as error:
            if not isinstance(error, MailguardError):
                log.exception("storing failed in mailguard itself")
            return error
        for item, outcome in zip(waiting, stored, strict=True):
            if not item.stored.done():
                item.stored.set_result(outcome)
        if self._away:
            log.warning("the database answers again")
        self._away = False
        return None

    def _add_now(self, batch: Sequence[Filed]) -> tuple[Stored, ...]:
        if not batch:
            return ()
        return self._do_now(lambda store: store.add(batch))

    def _do_now(self, job: Callable[[Keeper], T]) -> T:
        if self._store is None:
            self._store = self._open_store()
        try:
            return job(self._store)
        except BaseException:
            self._close()  # a connection that has failed is not to be trusted again
            raise

    def _close(self) -> None:
        store, self._store = self._store, None
        if store is not None:
            try:
                store.close()
            except Exception as error:  # it is gone in any case
                log.debug("closing the database failed: %s", error)

    async def _call(self, function: Callable[..., T], *args: object) -> T:
        # What has begun ends: a transaction is not left half-way, whoever is cancelled.
        future = asyncio.get_running_loop().run_in_executor(self._thread, function, *args)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.wait({future}, timeout=5.0)
            raise


def _nothing(store: Keeper) -> None:
    return
