"""``drive``: an inquiry brought to its end with real answers.

Every generator is a *strand*. A strand that has all the replies it waits for is taken one step further; a ``Together``
starts a strand for each of its inquiries, and the last of them to end wakes the one that started them. So branches go
on independently of each other: a slow answer holds up nobody who does not need it. No strand is a task; between steps
there is nothing but this loop and one future.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Generator
from functools import partial
from typing import Any, Protocol, TypeVar, cast

from mailguard.inquiry import Answer, Inquiry, Question, Together
from mailguard.resolver.resolver import Tell

T = TypeVar("T")


class Asker(Protocol):
    """Whom a driver asks: a ``Session``."""

    def ask(self, question: Question, tell: Tell) -> Answer | None:
        """The answer, or ``None`` and ``tell`` later."""


class _Strand:
    """One generator, the replies it waits for, and the place its result goes to."""

    __slots__ = ("inquiry", "missing", "parent", "place", "replies")

    def __init__(self, inquiry: Generator[Any, Any, Any], parent: _Strand | None, place: int) -> None:
        self.inquiry = inquiry
        self.parent = parent
        self.place = place
        self.replies: list[Any] | None = None  # None: not started
        self.missing = 0

    def expect(self, count: int) -> None:
        self.replies = [None] * count
        self.missing = count

    def receive(self, place: int, reply: object) -> bool:
        """Take one reply; says whether it was the last one missing."""
        assert self.replies is not None
        self.replies[place] = reply
        self.missing -= 1
        return self.missing == 0


class _Driver:
    def __init__(self, inquiry: Generator[Any, Any, Any], asker: Asker) -> None:
        root = _Strand(inquiry, None, 0)
        self._asker = asker
        self._strands: dict[_Strand, None] = {root: None}  # unfinished, those who started others first
        self._ready = deque([root])
        self._wake: asyncio.Future[None] | None = None
        self._result: Any = None

    async def run(self) -> Any:
        while True:
            while self._ready:
                self._step(self._ready.popleft())
            if not self._strands:
                return self._result
            self._wake = asyncio.get_running_loop().create_future()
            await self._wake

    def close(self) -> None:
        """Close every generator, the innermost first."""
        for strand in reversed(list(self._strands)):
            strand.inquiry.close()

    def _step(self, strand: _Strand) -> None:
        reply = None if strand.replies is None else tuple(strand.replies)
        try:
            step = strand.inquiry.send(reply)
        except StopIteration as stop:
            result = stop.value
        else:
            # Outside the try: a stray StopIteration from below must not pass for a verdict.
            self._begin(strand, step)
            return
        self._finish(strand, result)

    def _begin(self, strand: _Strand, step: tuple[Question, ...] | Together) -> None:
        if isinstance(step, Together):
            strand.expect(len(step.inquiries))
            branches = [_Strand(inquiry, strand, place) for place, inquiry in enumerate(step.inquiries)]
            self._strands.update(dict.fromkeys(branches))
            self._ready.extend(branches)
        else:
            strand.expect(len(step))
            for place, question in enumerate(step):
                answer = self._asker.ask(question, partial(self._answered, strand, place))
                if answer is not None:
                    strand.receive(place, answer)
        if strand.missing == 0:
            self._ready.append(strand)

    def _answered(self, strand: _Strand, place: int, answer: Answer) -> None:
        if strand in self._strands and strand.receive(place, answer):
            self._ready.append(strand)
            if self._wake is not None and not self._wake.done():
                self._wake.set_result(None)

    def _finish(self, strand: _Strand, result: object) -> None:
        del self._strands[strand]
        if strand.parent is None:
            self._result = result
        elif strand.parent.receive(strand.place, result):
            self._ready.append(strand.parent)


async def drive(inquiry: Inquiry[T], session: Asker) -> T:
    """Drive an inquiry to its end.

    What the inquiry raises comes out of here; the other branches are closed then, as they are on cancellation.
    """
    driver = _Driver(inquiry, session)
    try:
        return cast(T, await driver.run())
    finally:
        driver.close()
