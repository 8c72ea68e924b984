"""``Worker``: takes mails from the spool until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from mailguard.errors import OperationError
from mailguard.spool import Batch, Shelf, SpoolError
from mailguard.spool.reason import Reason
from mailguard.worker.filer import StoreAway
from mailguard.worker.handling import Handled, Handler
from mailguard.worker.later import Later
from mailguard.worker.reasons import sentence_of
from mailguard.worker.telling import Trouble, tell

log = logging.getLogger(__name__)
T = TypeVar("T")

_LOOK_EVERY_S: Final = 2.0
_LATER_EVERY_S: Final = 30.0
_TIDY_EVERY_S: Final = 3_600.0
_TROUBLE_PAUSE_S: Final = 5.0
_CHECKED_AT_ONCE: Final = 8
_INNOCENT_CLAIMS: Final = 2
"""Whatever was under way when the power failed is claimed a second time. Who comes a third time may be the cause."""


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """Bounds: files of the spool that are worked on at a time, and the bytes in them. ``quarantine_days``: how long a
    mail lies in quarantine; 0 for ever."""

    files: int = 500
    size: int = 64 * 1024 * 1024
    quarantine_days: int = 90


class Worker:
    """``await Worker(shelf, handler).run(stop)``; ``wake`` saves waiting for the next look into the spool.

    A file system that refuses is asked again every few seconds, and told about once. ``may_age`` says whether the clock
    is believed when it makes things old.
    """

    def __init__(
        self,
        shelf: Shelf,
        handler: Handler,
        settings: WorkerSettings = WorkerSettings(),
        *,
        told: Callable[[Handled], None] = tell,
        look_every_s: float = _LOOK_EVERY_S,
        now: Callable[[], float] = time.time,
        may_age: Callable[[], bool] = lambda: True,
    ) -> None:
        self._shelf = shelf
        self._handler = handler
        self._settings = settings
        self._told = told
        self._look_every_s = look_every_s
        self._now = now
        self._may_age = may_age
        self._one_suspect = asyncio.Lock()
        self._news = asyncio.Event()
        self._ended = asyncio.Event()
        self._size = 0
        self._files: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """A mail was put into the spool."""
        self._news.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop``; then what is under way is given back to the spool."""
        chores = [
            asyncio.create_task(self._every(_LATER_EVERY_S, self._check_again)),
            asyncio.create_task(self._every(_TIDY_EVERY_S, self._tidy)),
        ]
        tasks = [asyncio.create_task(self._take_files()), *chores]
        stopped = asyncio.create_task(stop.wait())
        try:
            # None of them ends by itself, unless something is broken: then whoever called us is to know.
            await asyncio.wait({stopped, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
            await _cancel([*tasks, *self._files])
        for task in tasks:
            if not task.cancelled() and (error := task.exception()):
                raise error

    async def empty(self) -> None:
        """Work off what lies in the spool now, and return. For commands and tests."""
        while file := await _aside(self._shelf.claim):
            await self._take_file(file)

    async def _take_files(self) -> None:
        trouble = Trouble()
        while True:
            self._news.clear()
            try:
                file = await _aside(self._shelf.claim)
            except SpoolError as error:
                trouble.say(error)
                await asyncio.sleep(_TROUBLE_PAUSE_S)
                continue
            trouble.is_over()
            if file is None:
                # Not wait_for: in Python 3.11 it can swallow that we are cancelled.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._look_every_s):
                        await self._news.wait()
                continue
            await self._begin(file)

    async def _begin(self, file: Path) -> None:
        size = await _aside(_size_of, file)
        try:
            await self._until_room(size)
        except asyncio.CancelledError:
            await _aside(self._shelf.give_back, file)
            raise
        self._size += size
        task = asyncio.create_task(self._take_file(file))
        self._files.add(task)
        task.add_done_callback(lambda done: self._end(done, size))

    async def _until_room(self, size: int) -> None:
        while self._files and (len(self._files) >= self._settings.files or self._size + size > self._settings.size):
            self._ended.clear()
            await self._ended.wait()

    def _end(self, task: asyncio.Task[None], size: int) -> None:
        self._files.discard(task)
        self._size -= size
        self._ended.set()
        if not task.cancelled() and (error := task.exception()):
            log.error("a file of the spool could not be worked on", exc_info=error)

    async def _take_file(self, file: Path) -> None:
        """All mails of a claimed file. If that cannot be finished the file waits again."""
        try:
            batch = await _aside(self._shelf.read, file)
            if self._shelf.tries(file) > _INNOCENT_CLAIMS:
                await self._handle_suspects(batch)
            else:
                await self._handle_all(batch)
            await self._finish(file, batch)
        except (StoreAway, asyncio.CancelledError):
            await _aside(self._shelf.give_back, file)
            raise
        except FileNotFoundError:
            return
        except OperationError as error:
            # Our disk, or no process could be started. The spool has the mail; let it wait a little.
            log.error("%s", error)
            await asyncio.sleep(_TROUBLE_PAUSE_S)
            await _aside(self._shelf.give_back, file)

    async def _handle_suspects(self, batch: Batch) -> None:
        """One of these may have ended us; taken one at a time, so that it will be known which."""
        for mail in batch.mails:
            async with self._one_suspect:
                self._told(await self._handler.handle(mail, suspect=True))

    async def _handle_all(self, batch: Batch) -> None:
        tasks = [asyncio.create_task(self._handler.handle(mail)) for mail in batch.mails]
        try:
            for task in asyncio.as_completed(tasks):
                self._told(await task)
        except BaseException:
            await _cancel(tasks)
            raise

    async def _finish(self, file: Path, batch: Batch) -> None:
        if batch.damage:
            where = " ".join(map(sentence_of, batch.damage))
            log.error("a file of the spool is damaged and was put into quarantine: %s", where)
            await _aside(self._shelf.quarantine_file, file, Reason("damaged-file", {"places": len(batch.damage)}))
        else:
            await _aside(self._shelf.done, file)

    async def _every(self, seconds: float, chore: Callable[[], Awaitable[None]]) -> None:
        trouble = Trouble()
        while True:
            try:
                await chore()
            except OperationError as error:
                trouble.say(error)
            else:
                trouble.is_over()
            await asyncio.sleep(seconds)

    async def _check_again(self) -> None:
        """Mails whose sender could not be checked, a few at a time: most of that is waiting for DNS, which may be away
        again, and mails that come in now go before them."""
        later = self._handler.later
        if later is None:
            return
        failed: list[OperationError] = []
        due = iter(await _aside(later.due))
        tasks = [asyncio.create_task(self._check_some(later, due, failed)) for _ in range(_CHECKED_AT_ONCE)]
        try:
            await asyncio.gather(*tasks)
        finally:
            await _cancel(tasks)
        if failed:
            raise failed[0]

    async def _check_some(self, later: Later, due: Iterator[Path], failed: list[OperationError]) -> None:
        """Whoever is free takes the next. One that cannot be read must not keep the others waiting."""
        for file in due:
            try:
                await self._check_one(later, file)
            except OperationError as error:
                failed.append(error)

    async def _check_one(self, later: Later, file: Path) -> None:
        due = await _aside(later.read, file)
        if due is not None:
            with contextlib.suppress(StoreAway):
                self._told(await self._handler.handle(due.mail, checks=due.checks))
                await _aside(later.done, file)

    async def _tidy(self) -> None:
        if self._settings.quarantine_days and self._may_age():
            await _aside(self._drop_old)

    def _drop_old(self) -> None:
        since = self._now() - self._settings.quarantine_days * 86_400
        for entry in list(self._shelf.list_quarantine()):
            if 0 < entry.at < since:
                log.warning("the time of a mail in quarantine is over: %s", entry.id)
                self._shelf.discard(entry.id)


async def _aside(function: Callable[..., T], *args: object) -> T:
    """In a thread, and to its end: a claimed file must not slip away because somebody was cancelled meanwhile."""
    task = asyncio.ensure_future(asyncio.to_thread(function, *args))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


async def _cancel(tasks: list[asyncio.Task[T]] | list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)


def _size_of(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0
