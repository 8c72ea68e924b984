"""The one thread that writes.

It owns the connection. Its queue is the only way in, so writes never wait for each other's locks, and the event loop
never waits for a disk. Later several waiting mails can share one transaction here, behind the same method.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import ParamSpec, TypeVar

from mailguard.errors import OperationError
from mailguard.feedback.envelope import ReceivedMail
from mailguard.feedback.mail import MailContents
from mailguard.store.reports import Stored, add_mail
from mailguard.store.sqlite import open_for_writing

P = ParamSpec("P")
T = TypeVar("T")


class Writer:
    """``async with Writer(path) as writer: await writer.add_mail(mail, contents)``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mailguard-store")
        self._connection: sqlite3.Connection | None = None

    async def __aenter__(self) -> Writer:
        self._connection = await self._run(open_for_writing, self._path)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connection is not None:
            await self._run(self._connection.close)
        self._thread.shutdown(wait=True)

    async def add_mail(self, mail: ReceivedMail, contents: MailContents) -> Stored:
        """Store a mail; on return it is on the disk. Raises OperationError when it could not be stored.

        Once begun it ends, also when the caller is cancelled.
        """
        assert self._connection is not None
        try:
            return await self._run(add_mail, self._connection, mail, contents)
        except sqlite3.Error as error:
            raise OperationError(f"A mail could not be stored in {self._path}: {error}.") from error

    async def _run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        work = partial(function, *args, **kwargs)
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._thread, work))
