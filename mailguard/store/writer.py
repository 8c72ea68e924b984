"""The one thread that writes, for code on an event loop.

It owns the store. Its queue is the only way in, so writes never wait for each other's locks, and the loop never waits
for a disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import ParamSpec, TypeVar

from mailguard.store.store import Store, open_store
from mailguard.store.values import Filed, Stored

P = ParamSpec("P")
T = TypeVar("T")


class Writer:
    """``async with Writer(place) as writer: await writer.add([Filed(...)])``."""

    def __init__(self, place: str | Path) -> None:
        self._place = place
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mailguard-store")
        self._store: Store | None = None

    async def __aenter__(self) -> Writer:
        self._store = await self._run(open_store, self._place)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._store is not None:
            await self._run(self._store.close)
        self._thread.shutdown(wait=True)

    async def add(self, batch: Sequence[Filed]) -> tuple[Stored, ...]:
        """``Store.add``. Once begun it ends, also when the caller is cancelled."""
        assert self._store is not None
        return await self._run(self._store.add, batch)

    async def _run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        work = partial(function, *args, **kwargs)
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._thread, work))
