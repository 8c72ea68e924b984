"""One question, brought to the servers until one of them answers.

The plan is a short list of servers, asked in turn. Silence for one share of the time moves on to the next, and so does
a server that fails (SERVFAIL, REFUSED, nonsense, nobody listening), which is then not asked again. While a later server
is being asked an earlier one may still answer. A response that was cut short is asked for again over TCP. What every
server failed at ends as the most telling failure.

One timer per question, no task, except for TCP, which is rare.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final

from mailguard.inquiry import Answer, Question, Status
from mailguard.resolver.settings import ResolverSettings
from mailguard.resolver.sockets import Ticket, Upstream
from mailguard.resolver.tcp import ask_by_tcp
from mailguard.resolver.wire import MALFORMED, Reading, is_truncated, read_response

_SILENT_SERVER: Final = 3
"""After so many unanswered attempts in a row, a server is asked after the others until it answers again."""

_UNREACHABLE: Final = Reading(Status.TIMEOUT, note="unreachable")
_SILENCE: Final = Reading(Status.TIMEOUT)
_TELLING: Final = {Status.TIMEOUT: 0, Status.ERROR: 1, Status.REFUSED: 2, Status.SERVFAIL: 3}


class Attempt:
    """The question as sent to one server once."""

    __slots__ = ("edns", "exchange", "question_octets", "ticket", "upstream")

    def __init__(self, exchange: Exchange, upstream: Upstream, *, edns: bool) -> None:
        self.exchange = exchange
        self.upstream = upstream
        self.question_octets = exchange.question_octets
        self.edns = edns
        self.ticket: Ticket | None = None

    def send(self) -> None:
        """Send it, or raise OSError."""
        self.ticket = self.upstream.send(self, edns=self.edns)

    def replied(self, octets: bytes) -> None:
        """Called by the socket; withdraws itself."""
        self.withdraw()
        self.exchange.replied(self, octets)

    def unreachable(self) -> None:
        """Called by the socket."""
        self.withdraw()
        self.exchange.failed(self, _UNREACHABLE)

    def withdraw(self) -> None:
        """Stop waiting."""
        if self.ticket is not None:
            self.ticket.withdraw()
            self.ticket = None


class Exchange:
    """The way of one question to an answer. ``done`` is called once, with the reading and the size of the response."""

    __slots__ = (
        "_attempts",
        "_best",
        "_best_label",
        "_done",
        "_ends_at",
        "_given_up",
        "_loop",
        "_plan",
        "_settings",
        "_share_s",
        "_started",
        "_tcp",
        "_timer",
        "asked_at",
        "question",
        "question_octets",
    )

    def __init__(
        self,
        question: Question,
        question_octets: bytes,
        upstreams: Sequence[Upstream],
        settings: ResolverSettings,
        loop: asyncio.AbstractEventLoop,
        done: Callable[[Exchange, Answer, Reading, int], None],
    ) -> None:
        self.question = question
        self.question_octets = question_octets
        self.asked_at = 0.0  # POSIX time of the first attempt; 0 while the question waits for its turn
        self._settings = settings
        self._loop = loop
        self._done = done
        self._plan = _plan(upstreams, settings.attempts)
        self._share_s = settings.timeout_s / len(self._plan)
        self._started = self._ends_at = 0.0
        self._attempts: list[Attempt] = []
        self._given_up: list[Upstream] = []
        self._best = _SILENCE
        self._best_label = ""
        self._timer: asyncio.Handle | None = None
        self._tcp: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Send the first attempt; the time runs from here."""
        self.asked_at = time.time()
        self._started = self._loop.time()
        self._ends_at = self._started + self._settings.timeout_s
        self._go_on()

    def abort(self) -> asyncio.Task[None] | None:
        """End without an answer, as the resolver is being closed. Returns the TCP task to wait for, if any."""
        tcp = self._tcp
        self._finish(Reading(Status.TIMEOUT, note="closed"), "", 0)
        return tcp

    def _go_on(self) -> None:
        """Send the next attempt of the plan; end where none is left. TCP, while under way, has the word."""
        if self._tcp is not None:
            return
        while self._plan and self._loop.time() < self._ends_at:
            upstream = self._plan.pop(0)
            if upstream not in self._given_up and self._send(upstream, edns=upstream.edns):
                return
        # Not at once: whoever asked may still be on the stack, and a queue behind us would pile up on it.
        self._set_timer(self._loop.call_soon(self._give_up))

    def _give_up(self) -> None:
        self._finish(self._best, self._best_label, 0)

    def _send(self, upstream: Upstream, *, edns: bool) -> bool:
        attempt = Attempt(self, upstream, edns=edns)
        try:
            attempt.send()
        except OSError:
            self._note_failure(upstream, _UNREACHABLE)
            return False
        self._attempts.append(attempt)
        self._arm(self._share_s)
        return True

    def _arm(self, wait_s: float) -> None:
        self._set_timer(self._loop.call_at(min(self._loop.time() + wait_s, self._ends_at), self._waited))

    def _set_timer(self, timer: asyncio.Handle | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = timer

    def _waited(self) -> None:
        upstream = self._attempts[-1].upstream
        upstream.silent_in_a_row += 1
        upstream.statistics.silent += 1
        if not self._best_label:
            self._best_label = upstream.label
        self._go_on()

    def replied(self, attempt: Attempt, octets: bytes) -> None:
        """A server has answered this question over UDP."""
        upstream = attempt.upstream
        upstream.silent_in_a_row = 0
        if is_truncated(octets):
            self._ask_by_tcp(attempt)
            return
        reading = read_response(self.question, octets)
        if reading.wants_plain and attempt.edns:
            if not self._send(upstream, edns=False):
                self._go_on()
            return
        if not attempt.edns and reading.rcode is not None and not reading.wants_plain:
            upstream.edns = False
        self._judge(attempt, reading, len(octets))

    def failed(self, attempt: Attempt, reading: Reading) -> None:
        """This server cannot help with this question; the next may."""
        self._note_failure(attempt.upstream, reading)
        if attempt is self._attempts[-1]:
            self._go_on()

    def _note_failure(self, upstream: Upstream, reading: Reading) -> None:
        self._given_up.append(upstream)
        if _TELLING[reading.status] >= _TELLING[self._best.status]:
            self._best, self._best_label = reading, upstream.label

    def _judge(self, attempt: Attempt, reading: Reading, size: int) -> None:
        if reading.status in _TELLING and reading.note not in ("cname-loop", "cname-chain"):
            self.failed(attempt, reading)
        else:
            self._finish(reading, attempt.upstream.label, size)

    def _ask_by_tcp(self, attempt: Attempt) -> None:
        """One TCP connection at a time; further truncated responses meanwhile say nothing new."""
        if self._tcp is not None:
            return
        self._set_timer(None)
        self._tcp = self._loop.create_task(self._run_tcp(attempt))

    async def _run_tcp(self, attempt: Attempt) -> None:
        attempt.upstream.statistics.by_tcp += 1
        wait_s = min(2 * self._share_s, self._ends_at - self._loop.time())
        server = attempt.upstream.server
        octets = await ask_by_tcp(server, attempt.question_octets, edns=attempt.edns, timeout_s=wait_s)
        self._tcp = None
        if octets is None:
            reading, size = _SILENCE, 0
        elif not octets or is_truncated(octets):
            reading, size = MALFORMED, 0
        else:
            reading, size = read_response(self.question, octets), len(octets)
        self._attempts.append(attempt)  # the latest again, whatever came of the others meanwhile
        self._judge(attempt, reading, size)

    def _finish(self, reading: Reading, label: str, size: int) -> None:
        done, self._done = self._done, _nobody
        self._set_timer(None)
        for attempt in self._attempts:
            attempt.withdraw()
        self._attempts.clear()
        self._plan.clear()
        if self._tcp is not None:
            self._tcp.cancel()
        took_ms = (self._loop.time() - self._started) * 1000 if self.asked_at else 0.0
        answer = Answer(
            self.question,
            reading.status,
            reading.records,
            reading.aliases,
            reading.ttl_s,
            reading.authenticated,
            reading.rcode,
            label,
            self.asked_at,
            round(took_ms, 3),
            reading.note,
        )
        done(self, answer, reading, size)


def _nobody(exchange: Exchange, answer: Answer, reading: Reading, size: int) -> None:
    """Whom a finished exchange tells."""


def _plan(upstreams: Sequence[Upstream], attempts: int) -> list[Upstream]:
    """The servers in the order given, silent ones last, repeated up to the number of attempts."""
    ordered = upstreams
    if len(upstreams) > 1:
        ordered = sorted(upstreams, key=lambda upstream: upstream.silent_in_a_row >= _SILENT_SERVER)
    count = max(attempts, len(ordered))
    return [ordered[turn % len(ordered)] for turn in range(count)]
