"""Mails and reports that were handed over, through to the store: what ``mailguard ingest`` does."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from mailguard.resolver import Resolver, ResolverSettings
from mailguard.sources.files import Found, NotRead
from mailguard.trust.judge import Owned
from mailguard.trust.reporter import KNOWN_REPORTERS, Registry
from mailguard.worker.filer import Archive, Filer, Keeper
from mailguard.worker.handling import Handled, Handler
from mailguard.worker.judging import Judge
from mailguard.worker.readers import Readers
from mailguard.worker.wire import ReadingSettings

_AT_ONCE: Final = 64
"""Mails under way; the results come in order, so this is also how far one slow mail lets the others run ahead."""

_CHUNK_MAILS: Final = 16
_CHUNK_BYTES: Final = 8 * 1024 * 1024

_FEW: Final = 8
"""Up to so many mails are read sooner by one process than by several that have to start."""


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """``owned`` None: reports may be about any domain, since the user hands them over. ``resolver`` None: nobody is
    asked who sent a mail. ``known`` are the reporters that somebody vouches for."""

    reading: ReadingSettings = field(default_factory=ReadingSettings)
    resolver: ResolverSettings | None = None
    owned: Owned | None = None
    known: Registry = KNOWN_REPORTERS
    processes: int = 2


async def ingest(
    sources: Iterator[Found], open_store: Callable[[], Archive], settings: IngestSettings
) -> AsyncGenerator[Handled | NotRead, None]:
    """Handle everything in ``sources``; results come in their order. Holds about 64 mails or 16 MiB, and one mail.

    Raises OperationError when the database does not take what was read; what was told before is stored.
    """
    first = await asyncio.to_thread(_chunk, sources)
    processes = 1 if len(first) < _FEW else settings.processes
    judge = Judge(settings.owned, settings.known, awaits_past=True)
    async with AsyncExitStack() as stack:
        filer = await stack.enter_async_context(Filer(lambda: _open(open_store, judge), patient=False))
        readers = await stack.enter_async_context(Readers(settings.reading, processes=processes, gate=filer.has_room))
        resolver = await stack.enter_async_context(Resolver(settings.resolver)) if settings.resolver else None
        handler = Handler(readers=readers, filer=filer, judge=judge, resolver=resolver)
        window: deque[asyncio.Task[Handled | NotRead]] = deque()
        try:
            chunk = first
            while chunk:
                window.extend(asyncio.create_task(_handle(handler, found)) for found in chunk)
                while window and (len(window) >= _AT_ONCE or window[0].done()):
                    yield await window.popleft()
                chunk = await asyncio.to_thread(_chunk, sources)
            while window:
                yield await window.popleft()
        finally:
            for task in window:
                task.cancel()
            if window:
                await asyncio.wait(window)


def _open(open_store: Callable[[], Archive], judge: Judge) -> Keeper:
    """The store, after it has told the judge who reported before."""
    archive = open_store()
    judge.remember(archive.known_names())
    return archive


async def _handle(handler: Handler, found: Found) -> Handled | NotRead:
    return found if isinstance(found, NotRead) else await handler.handle(found)


def _chunk(sources: Iterator[Found]) -> list[Found]:
    """The next few, so that a thread is worth its while."""
    chunk: list[Found] = []
    size = 0
    for found in islice(sources, _CHUNK_MAILS):
        chunk.append(found)
        size += 0 if isinstance(found, NotRead) else len(found.raw)
        if size >= _CHUNK_BYTES:
            break
    return chunk
