"""What the listener awaits: a mail is put, and on return it is on the disk."""

from __future__ import annotations

import asyncio
import fcntl
import os
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final

from mailguard.feedback.envelope import ReceivedMail
from mailguard.spool.disk import Disk
from mailguard.spool.errors import SpoolError, SpoolFull, told
from mailguard.spool.shelf import Shelf

_REFUSE_FOR_S: Final = 1.0
"""How long mails are refused without looking, once there was no room."""

_WRITERS: Final = 2
_SLOW_S: Final = 0.002
"""Batches that may be under way at one time. The second one begins only when the first takes longer than so many
seconds already: then the disk is what everybody waits for, else the processor, for which larger batches are less work.
"""

_TURNS: Final = 5
"""Turns of the event loop between a wish to write and writing. What lies in the sockets by then gets into the same
file: that costs some ten microseconds when there is little to do, and saves a third of the work when there is much."""


@dataclass(frozen=True, slots=True)
class SpoolSettings:
    """How much may lie in the spool.

    No mail is taken when less than ``free_bytes`` of the file system would be left, or when ``waiting_files`` files or
    ``waiting_bytes`` bytes are not yet stored. One file gets at most ``batch_mails`` mails, and no more once it has
    ``batch_bytes``.
    """

    free_bytes: int = 256 * 1024 * 1024
    waiting_files: int = 10_000
    waiting_bytes: int = 2 * 1024**3
    batch_mails: int = 256
    batch_bytes: int = 16 * 1024 * 1024


class Spool:
    """``async with Spool(path) as spool: await spool.put(mail)``.

    One process owns a spool; a second one that tries is told so by SpoolError. On leaving, what was put is written.
    """

    def __init__(
        self,
        path: Path,
        settings: SpoolSettings = SpoolSettings(),
        *,
        disk: Disk | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._disk = disk or Disk()
        self.shelf: Final = Shelf(path, disk=self._disk)
        self._settings = settings
        self._clock = clock
        self._threads = ThreadPoolExecutor(max_workers=_WRITERS, thread_name_prefix="mailguard-spool")
        self._lock: int | None = None
        self._waiting: deque[tuple[ReceivedMail, asyncio.Future[None]]] = deque()
        self._idle = asyncio.Event()
        self._idle.set()
        self._writers = 0  # batches under way
        self._began_at = 0.0  # when the last of them began
        self._accepts = False
        self._refuse_until = 0.0
        # What lay there when it was counted last and what was put since; counted anew when it seems too much.
        self._files = self._bytes = 0

    async def __aenter__(self) -> Spool:
        self._loop = asyncio.get_running_loop()
        try:
            await self._loop.run_in_executor(self._threads, self._open)
        except BaseException:
            self._close()
            raise
        self._accepts = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._accepts = False
        await self._idle.wait()
        self._close()

    def put(self, mail: ReceivedMail) -> asyncio.Future[None]:
        """To be awaited: ends when the mail is on the disk. Raises SpoolError, or SpoolFull when there is no room.

        A caller that is cancelled no longer hears what became of the mail; it is written all the same.
        """
        written = asyncio.get_running_loop().create_future()
        if not self._accepts:
            written.set_exception(SpoolError("The spool is not open."))
            return written
        self._waiting.append((mail, written))
        self._idle.clear()
        self._write_if_free()
        return written

    def has_room(self, size: int = 0) -> bool:
        """Whether a mail of this size is worth being sent. A guess from memory; ``put`` decides."""
        return size <= self._settings.waiting_bytes and self._clock() >= self._refuse_until

    def _open(self) -> None:
        self.shelf.prepare()
        with told("lock the spool in {path}", path=self.shelf.path):
            self._lock = os.open(self.shelf.path / ".lock", os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise SpoolError("Another process uses the spool in {path}.", path=self.shelf.path) from error
        self.shelf.recover()
        self._count()

    def _close(self) -> None:
        self._threads.shutdown(wait=True)
        if self._lock is not None:
            os.close(self._lock)  # which unlocks it
            self._lock = None

    def _write_if_free(self) -> None:
        """Have what is waiting written, unless that is better done together with what is yet to come."""
        is_slow = self._loop.time() - self._began_at > _SLOW_S
        if self._waiting and (not self._writers or (is_slow and self._writers < _WRITERS)):
            self._writers += 1
            self._began_at = self._loop.time()
            self._write_soon(_TURNS)
        elif not self._waiting and not self._writers:
            self._idle.set()

    def _write_soon(self, turns: int) -> None:
        """Write when the event loop has gone round a few times."""
        if turns:
            self._loop.call_soon(self._write_soon, turns - 1)
        else:
            self._write_next()

    def _write_next(self) -> None:
        """Hand what is waiting to a thread that writes."""
        batch: list[tuple[ReceivedMail, asyncio.Future[None]]] = []  # empty when another batch took all
        size = 0
        while self._waiting and len(batch) < self._settings.batch_mails and size < self._settings.batch_bytes:
            batch.append(self._waiting.popleft())
            size += len(batch[-1][0].raw)
        writing = self._threads.submit(self._write, [mail for mail, _ in batch], size)
        answers = [answer for _, answer in batch]
        writing.add_done_callback(lambda done: self._loop.call_soon_threadsafe(self._written, answers, size, done))

    def _written(self, answers: list[asyncio.Future[None]], size: int, writing: Future[None]) -> None:
        self._writers -= 1
        self._write_if_free()
        error = writing.exception()
        if error is None and answers:
            self._files += 1
            self._bytes += size
        for answer in answers:
            if answer.done():
                continue  # cancelled: nobody waits for it
            if error is None:
                answer.set_result(None)
            else:
                answer.set_exception(error)

    def _write(self, mails: list[ReceivedMail], size: int) -> None:
        if not mails:
            return
        try:
            self._check_room(size)
            self.shelf.put(mails)
        except SpoolFull:
            self._refuse_until = self._clock() + _REFUSE_FOR_S
            raise

    def _check_room(self, size: int) -> None:
        with told("ask how much room the spool has"):
            free = self._disk.free_bytes(self.shelf.path)
        if free - size < self._settings.free_bytes:
            raise SpoolFull("The file system of the spool has only {free} bytes left.", free=free)
        if self._is_too_much(size):
            self._count()
            if self._is_too_much(size):
                raise SpoolFull("Too much waits in the spool: {count} files.", count=self._files)

    def _is_too_much(self, size: int) -> bool:
        return self._files >= self._settings.waiting_files or self._bytes + size > self._settings.waiting_bytes

    def _count(self) -> None:
        waiting = self.shelf.waiting()
        self._files, self._bytes = waiting.files, waiting.size
