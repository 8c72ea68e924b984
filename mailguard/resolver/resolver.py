"""``Resolver``: questions in, answers out; shared, remembered and bounded."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Final, NamedTuple, Self

from mailguard.inquiry import Answer, Question, Status, not_asked
from mailguard.resolver.cache import AnswerCache
from mailguard.resolver.exchange import Exchange
from mailguard.resolver.settings import ResolverSettings, choose_nameservers
from mailguard.resolver.sockets import Statistics, Upstream
from mailguard.resolver.wire import MAX_ALIASES, Reading, encode_question

Tell = Callable[[Answer], None]
"""Whom to tell the answer."""

Afford = Callable[[Question], bool]
"""Whether the asker can pay for one more question, which mailguard has to ask to follow a CNAME."""

_ANSWER_OVERHEAD: Final = 600
"""Octets that an answer without records weighs in memory, about."""


class Hop(NamedTuple):
    """What one question to one server brought; ``unfinished`` where its CNAME chain goes on."""

    answer: Answer
    unfinished: bool


class Resolver:
    """Asks DNS for everybody in this process.

    Use it as ``async with Resolver(settings) as resolver``; it belongs to the event loop it was entered in. What goes
    wrong outside is a status of the answer; nothing here raises for it.
    """

    def __init__(self, settings: ResolverSettings | None = None) -> None:
        self.settings = settings or ResolverSettings()
        self.statistics = Statistics()
        self._cache: AnswerCache[Hop] = AnswerCache(self.settings.cache_entries, self.settings.cache_octets)
        self._waiting: dict[Question, list[Callable[[Hop], None]]] = {}
        self._exchanges: dict[Question, Exchange] = {}
        self._queue: deque[Exchange] = deque()
        self._upstreams: tuple[Upstream, ...] = ()
        self._is_closed = False
        self._loop: asyncio.AbstractEventLoop

    async def __aenter__(self) -> Self:
        """Choose the servers. Raises UsageError where there is none."""
        self._loop = asyncio.get_running_loop()
        self._upstreams = tuple(
            Upstream(server, self.settings, self._loop, self.statistics)
            for server in choose_nameservers(self.settings.nameservers)
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close all sockets. Questions still open are answered TIMEOUT or NOT_ASKED with the note ``closed``."""
        self._is_closed = True
        self._queue.clear()
        conversations = [exchange.abort() for exchange in list(self._exchanges.values())]
        for upstream in self._upstreams:
            upstream.close()
        await asyncio.gather(*(task for task in conversations if task is not None), return_exceptions=True)
        await asyncio.sleep(0)  # aborted transports close in the next turn of the loop

    async def resolve(self, question: Question) -> Answer:
        """Ask one question and wait for its answer."""
        waiter: asyncio.Future[Answer] = self._loop.create_future()
        answer = self.ask(question, partial(_settle, waiter))
        return await waiter if answer is None else answer

    def ask(self, question: Question, tell: Tell, afford: Afford = lambda _: True) -> Answer | None:
        """The answer, if it is known; otherwise ``None``, and ``tell`` is called with it later (never from in here).

        Args:
            afford: asked before each further question that a CNAME makes necessary.
        """
        hop = self._ask_hop(question, partial(self._pass_on, tell, afford))
        if hop is None:
            return None
        return self._chase(hop, tell, afford) if hop.unfinished else hop.answer

    def is_queued(self, question: Question) -> bool:
        """Whether the question still waits for its turn, so that no server has been asked."""
        exchange = self._exchanges.get(question)
        return exchange is not None and not exchange.asked_at

    def _pass_on(self, tell: Tell, afford: Afford, hop: Hop) -> None:
        answer = self._chase(hop, tell, afford) if hop.unfinished else hop.answer
        if answer is not None:
            tell(answer)

    def _ask_hop(self, question: Question, tell: Callable[[Hop], None]) -> Hop | None:
        known = self._cache.get(question, self._loop.time())
        if known is not None:
            self.statistics.cached += 1
            return known
        others = self._waiting.get(question)
        if others is not None:
            self.statistics.shared += 1
            others.append(tell)
            return None
        octets = encode_question(question)
        if octets is None or self._is_closed:
            return Hop(not_asked(question, "unaskable" if octets is None else "closed"), unfinished=False)
        self._waiting[question] = [tell]
        exchange = Exchange(question, octets, self._upstreams, self.settings, self._loop, self._done)
        self._exchanges[question] = exchange
        self._queue.append(exchange)
        self._start_queued()
        return None

    def _start_queued(self) -> None:
        while self._queue and len(self._exchanges) - len(self._queue) < self.settings.max_in_flight:
            exchange = self._queue.popleft()
            self.statistics.asked += 1
            exchange.start()

    def _done(self, exchange: Exchange, answer: Answer, reading: Reading, size: int) -> None:
        question = answer.question
        del self._exchanges[question]
        if not exchange.asked_at:
            answer = not_asked(question, "closed")
        shared = Hop(replace(answer, took_ms=0.0), reading.unfinished)
        self._remember(shared, size)
        first, *others = self._waiting.pop(question)
        first(Hop(answer, reading.unfinished))
        for tell in others:
            tell(shared)
        self._start_queued()

    def _remember(self, hop: Hop, size: int) -> None:
        answer = hop.answer
        if answer.note == "closed":
            return
        lasts_s = max(self._lifetime_s(answer), self.settings.hold_s)
        if lasts_s > 0:
            expires = self._loop.time() + lasts_s
            self._cache.put(answer.question, hop, expires=expires, octets=size + _ANSWER_OVERHEAD)

    def _lifetime_s(self, answer: Answer) -> float:
        if answer.unanswered:
            return self.settings.failure_ttl_s
        cap_s = self.settings.max_ttl_s if answer.present else self.settings.max_negative_ttl_s
        # RFC 2308 section 5: a denial without SOA has no TTL and is not kept.
        return min(answer.ttl_s or 0, cap_s)

    def _chase(self, hop: Hop, tell: Tell, afford: Afford) -> Answer | None:
        """Follow the chain from where the response left off, one question at a time."""
        answer = hop.answer
        while True:
            target = answer.aliases[-1]
            further = Question(target, answer.question.rrtype)
            if len(answer.aliases) > MAX_ALIASES:
                return _chain_failed(answer, Status.ERROR, "cname-chain")
            if target == answer.question.name or target in answer.aliases[:-1]:
                return _chain_failed(answer, Status.ERROR, "cname-loop")
            if not afford(further):
                return _chain_failed(answer, Status.NOT_ASKED, "budget")
            following = self._ask_hop(further, partial(self._chase_on, answer, tell, afford))
            if following is None:
                return None
            answer = _joined(answer, following.answer)
            if not following.unfinished:
                return answer

    def _chase_on(self, so_far: Answer, tell: Tell, afford: Afford, hop: Hop) -> None:
        self._pass_on(tell, afford, Hop(_joined(so_far, hop.answer), hop.unfinished))


def _settle(waiter: asyncio.Future[Answer], answer: Answer) -> None:
    if not waiter.done():
        waiter.set_result(answer)


def _joined(start: Answer, end: Answer) -> Answer:
    """The answer to ``start``'s question, found by asking ``end``'s for the last alias."""
    ttls = [ttl_s for ttl_s in (start.ttl_s, end.ttl_s) if ttl_s is not None]
    return replace(
        end,
        question=start.question,
        aliases=start.aliases + end.aliases,
        ttl_s=min(ttls, default=None),
        authenticated=start.authenticated and end.authenticated,
        asked_at=start.asked_at,
        took_ms=round(start.took_ms + end.took_ms, 3),
    )


def _chain_failed(answer: Answer, status: Status, note: str) -> Answer:
    return replace(answer, status=status, authenticated=False, note=note)
