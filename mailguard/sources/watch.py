"""Watching a mailbox day and night, for the daemon."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from mailguard.errors import MailguardError
from mailguard.sources.mailbox import Batch, IsReport, MailboxReader, Seen
from mailguard.sources.settings import MailboxSettings

T = TypeVar("T")

_FIRST_PAUSE_S: Final = 5.0
_LONGEST_PAUSE_S: Final = 15 * 60.0

Trouble = Callable[[MailguardError, float], None]
"""Told of each failure, with the seconds until the next try."""


async def watch(
    settings: MailboxSettings,
    seen: Seen,
    is_report: IsReport,
    trouble: Trouble,
    pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> AsyncGenerator[Batch, None]:
    """Batches of report mails as they arrive, for ever. Commit each mail before asking for the next batch::

        async with aclosing(watch(settings, seen, is_report, trouble)) as batches:
            async for batch in batches:
                for fetched in batch.mails:
                    await store(fetched.mail)
                    batch.commit(fetched.uid)

    The server wakes us (IDLE), or we look every ``poll_s``. When the server refuses or is gone, ``trouble`` is told and
    we connect again after 5 s, then twice as long each time up to 15 minutes; also when a secret is missing, since it
    may be put there while we run. Never raises MailguardError. Closing concludes the last batch and hangs up.
    """
    line = _Line(MailboxReader(settings, seen, is_report))
    pauses = _pauses()
    try:
        while True:
            try:
                batch = await line.next_batch()
                pauses = _pauses()
            except MailguardError as error:
                await _recover(line, trouble, error, pauses, pause)
                continue
            try:
                yield batch
            finally:
                # Nothing may leave this block, or closing would begin the loop again.
                failure = await line.conclude(batch)
            if failure:
                await _recover(line, trouble, failure, pauses, pause)
    finally:
        await line.close()


async def _recover(
    line: _Line,
    trouble: Trouble,
    error: MailguardError,
    pauses: Iterator[float],
    pause: Callable[[float], Awaitable[object]],
) -> None:
    await line.hang_up()
    seconds = next(pauses)
    trouble(error, seconds)
    await pause(seconds)


def _pauses() -> Iterator[float]:
    seconds = _FIRST_PAUSE_S
    while True:
        yield seconds
        seconds = min(2 * seconds, _LONGEST_PAUSE_S)


class _Line:
    """A reader in a thread of its own: one call at a time, and waiting can be cut short."""

    def __init__(self, reader: MailboxReader) -> None:
        self._reader = reader
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mailbox")
        self._wake, self._alarm = socket.socketpair()

    async def next_batch(self) -> Batch:
        """The next batch, waiting for it as long as it takes."""
        while True:
            batch = await self._run(self._reader.next_batch)
            if batch is None:
                await self._run(lambda: self._reader.wait(self._wake))
            elif not batch.is_empty:
                return batch

    async def conclude(self, batch: Batch) -> MailguardError | None:
        """What went wrong, if anything did; the reader tries again over its next connection."""
        try:
            await self._run(lambda: self._reader.conclude(batch))
        except MailguardError as error:
            return error
        return None

    async def hang_up(self) -> None:
        """End the connection."""
        await self._run(self._reader.hang_up)

    async def close(self) -> None:
        """End the connection and the thread."""
        self._alarm.send(b"!")  # the thread may be waiting
        try:
            await self.hang_up()
        finally:
            self._thread.shutdown(wait=False)
            self._wake.close()
            self._alarm.close()

    async def _run(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)
