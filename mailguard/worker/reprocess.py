"""Reading the kept mails again: what ``mailguard reports reprocess`` does.

Every mail is read in a reading process, within the bounds on memory, CPU and time that hold for mails that come in; one
that goes beyond them costs itself. DNS is not asked: a sender is proved by the keys that were kept, or not at all.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Final, TypeVar, cast

from mailguard.inquiry import Answer, Question, RRType, Status, Txt, not_asked
from mailguard.store import Store
from mailguard.store.reprocess import Kept, Reread
from mailguard.store.values import Filed
from mailguard.worker.filer import Filer, Keeper
from mailguard.worker.judging import Judge, kept_keys
from mailguard.worker.readers import Ask, Readers, ReadFailed
from mailguard.worker.wire import ReadingSettings

T = TypeVar("T")

_AHEAD: Final = 8
"""Mails that are read before those before them are stored."""


@dataclass(frozen=True, slots=True)
class ReprocessSettings:
    """How to read and whom to believe. ``judge`` grades what could not be read before, and with ``regrade`` what was
    read before too, by the rules and settings of today. ``now`` is for what was the future by a clock that was wrong.
    """

    reading: ReadingSettings = field(default_factory=ReadingSettings)
    judge: Judge = field(default_factory=lambda: Judge(None))
    processes: int = 2
    mail_s: float = 10.0
    program: str = "mailguard.worker.child"
    regrade: bool = False
    now: Callable[[], float] = time.time


async def reprocess(open_store: Callable[[], Store], settings: ReprocessSettings) -> AsyncGenerator[Reread, None]:
    """Read all mails that are kept, one transaction each; the count so far, at the beginning and after each.

    Raises OperationError when the database does not take what was read; what was told before is stored.
    """
    told = Reread()
    async with AsyncExitStack() as stack:
        filer = await stack.enter_async_context(Filer(open_store, patient=False))
        reading = Readers(
            settings.reading, processes=settings.processes, mail_s=settings.mail_s, program=settings.program
        )
        readers = await stack.enter_async_context(reading)
        settings.judge.remember(await _with(filer, Store.known_names))
        told.gone = await _with(filer, Store.count_gone)
        yield told
        numbers = deque(await _with(filer, Store.list_kept))
        window: deque[asyncio.Task[tuple[Kept, Filed | None] | None]] = deque()
        try:
            while numbers or window:
                while numbers and len(window) < _AHEAD:
                    window.append(asyncio.create_task(_read(filer, readers, settings, numbers.popleft())))
                await _put(filer, await window.popleft(), told, settings.regrade)
                yield told
        finally:
            for task in window:
                task.cancel()
            if window:
                await asyncio.wait(window)


async def _read(
    filer: Filer, readers: Readers, settings: ReprocessSettings, number: int
) -> tuple[Kept, Filed | None] | None:
    """A mail as it is read now; None in its place if it cannot be read within the bounds."""
    kept = await _with(filer, lambda store: store.load_kept(number))
    if kept is None:
        return None
    now = max(kept.mail.received_at, int(settings.now()))
    try:
        read = await readers.read(kept.mail, answers_kept(kept.account), now)
    except ReadFailed:
        return kept, None
    return kept, settings.judge.file(kept.mail, read.contents, read.authentication, now)


async def _put(filer: Filer, read: tuple[Kept, Filed | None] | None, told: Reread, regrade: bool) -> None:
    if read is None:
        return
    kept, filed = read
    if filed is None:
        told.mails += 1
        told.unread += 1
        return
    await _with(filer, lambda store: store.reread(kept, filed, told, regrade=regrade))


async def _with(filer: Filer, job: Callable[[Store], T]) -> T:
    def with_store(keeper: Keeper) -> T:
        return job(cast(Store, keeper))

    return await filer.do(with_store)


def answers_kept(account: str) -> Ask:
    """Answers questions from the keys that were kept with a mail; everything else is not asked."""
    keys = kept_keys(account)

    def answer(question: Question) -> Answer:
        text = keys.get(question.name) if question.rrtype is RRType.TXT else None
        if text is None:
            return not_asked(question, "reprocess")
        return Answer(question, Status.DATA, (Txt((text.encode("utf-8", "replace"),)),), note="kept")

    async def ask(questions: tuple[Question, ...]) -> tuple[Answer, ...]:
        return tuple(map(answer, questions))

    return ask
