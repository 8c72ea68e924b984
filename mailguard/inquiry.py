"""Asking DNS without doing I/O.

Whatever needs DNS to decide something is an *inquiry*: a generator that yields what it wants to know and is resumed
with the answers. It knows no socket, no time limit and no cache; those belong to whoever drives it.

::

    def has_mx(domain: DomainName) -> Inquiry[bool]:
        answer = yield from ask(Question(domain, RRType.MX))
        return answer.present

A step is either a tuple of questions that do not depend on each other (the reply is a tuple of answers in the same
order) or a ``Together``: inquiries that do not depend on each other (the reply is the tuple of their results). So a
whole audit takes about as long as its longest chain of dependent questions, not their sum.

An answer has one of eight statuses and exactly one of three meanings:

* *present*: records of the type that was asked for;
* *absent*: the name or the type does not exist, and a server said so;
* *unanswered*: everything else. Nothing may be concluded from it, least of all absence.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar, cast

from mailguard.names import DomainName

T = TypeVar("T")
T1 = TypeVar("T1")
T2 = TypeVar("T2")


class RRType(StrEnum):
    """The record types that mailguard asks for."""

    A = "A"
    AAAA = "AAAA"
    CNAME = "CNAME"
    MX = "MX"
    NS = "NS"
    PTR = "PTR"
    SOA = "SOA"
    SPF = "SPF"  # type 99, withdrawn by RFC 7208 section 3.1; asked only to say that nobody reads it
    TXT = "TXT"
    DS = "DS"
    DNSKEY = "DNSKEY"
    TLSA = "TLSA"


class Question(NamedTuple):
    """One DNS question in class IN."""

    name: DomainName
    rrtype: RRType

    def __str__(self) -> str:
        return f"{self.name or '.'} {self.rrtype}"


class Status(StrEnum):
    """What became of a question."""

    DATA = "data"  # NOERROR with records of the type asked for
    NO_DATA = "no-data"  # NOERROR without: the name exists (or is an empty non-terminal), the type does not
    NXDOMAIN = "nxdomain"  # the name does not exist, nor anything below it (RFC 8020)
    SERVFAIL = "servfail"  # the server could not find out; with a validating resolver also: DNSSEC is broken
    REFUSED = "refused"  # the server would not say
    TIMEOUT = "timeout"  # nobody answered in time
    ERROR = "error"  # any other response code, or responses that could not be read
    NOT_ASKED = "not-asked"  # never sent: over the budget, past the deadline, unaskable, or not in the evidence


class Mx(NamedTuple):
    """One MX record (RFC 1035 section 3.3.9); the exchange of a null MX is the root (RFC 7505)."""

    preference: int
    exchange: DomainName


class Txt(NamedTuple):
    """One TXT (or SPF) record: its character-strings, as published."""

    strings: tuple[bytes, ...]

    @property
    def joined(self) -> bytes:
        """The strings put together with nothing between (RFC 7208 section 3.3, RFC 9989 section 4.5)."""
        return self.strings[0] if len(self.strings) == 1 else b"".join(self.strings)


Rdata = Mx | Txt | DomainName | str
"""Txt for TXT and SPF, Mx for MX, DomainName for CNAME, NS and PTR, else presentation text (A, AAAA, SOA, DS, ...)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question brought back, and from where.

    ``records`` are those at the end of the CNAME chain; ``aliases`` are the chain's targets in order. ``ttl_s`` is the
    smallest TTL met on the way (for absent answers the negative TTL of RFC 2308), ``None`` where none was seen.
    ``took_ms`` counts from the first attempt and is 0 for an answer that was shared with an earlier asker.
    ``asked_at`` is POSIX time. ``note`` says in one machine-readable word why a question was not asked or what was
    wrong with the response: ``budget``, ``deadline``, ``evidence``, ``unaskable``, ``unneeded``, ``closed``, ``lame``,
    ``malformed``, ``unreachable``, ``cname-loop``, ``cname-chain``; or ``cut-off`` where what a server denied is not
    believed (``zone/reach.py``).
    """

    question: Question
    status: Status
    records: tuple[Rdata, ...] = ()
    aliases: tuple[DomainName, ...] = ()
    ttl_s: int | None = None
    authenticated: bool = False
    rcode: int | None = None
    server: str = ""
    asked_at: float = 0.0
    took_ms: float = 0.0
    note: str = ""

    @property
    def present(self) -> bool:
        """Records of the type asked for exist."""
        return self.status is Status.DATA

    @property
    def absent(self) -> bool:
        """A server said that there are none."""
        return self.status is Status.NO_DATA or self.status is Status.NXDOMAIN

    @property
    def unanswered(self) -> bool:
        """Nothing is known."""
        return not (self.present or self.absent)

    @property
    def denies_name(self) -> bool:
        """The asked name itself does not exist.

        A CNAME that leads nowhere also has the response code NXDOMAIN, but its owner name exists (RFC 2308
        section 2.1, RFC 6604).
        """
        return self.status is Status.NXDOMAIN and not self.aliases

    @property
    def texts(self) -> tuple[bytes, ...]:
        """TXT records, each with its strings joined."""
        return tuple(record.joined for record in self.records if isinstance(record, Txt))

    @property
    def txts(self) -> tuple[Txt, ...]:
        """TXT records with their strings as published."""
        return tuple(record for record in self.records if isinstance(record, Txt))

    @property
    def exchanges(self) -> tuple[Mx, ...]:
        """MX records, lowest preference first, then by name: an order that does not depend on the server's."""
        return tuple(sorted(record for record in self.records if isinstance(record, Mx)))

    @property
    def names(self) -> tuple[DomainName, ...]:
        """Targets of CNAME, NS or PTR records, sorted."""
        return tuple(sorted(record for record in self.records if isinstance(record, DomainName)))

    @property
    def addresses(self) -> tuple[str, ...]:
        """Addresses of A or AAAA records, sorted as text."""
        if self.question.rrtype not in (RRType.A, RRType.AAAA):
            return ()
        return tuple(sorted(record for record in self.records if isinstance(record, str)))


def answered(*answers: Answer) -> tuple[Question, ...]:
    """The questions of those that were answered, each once: what a statement may be traced to."""
    return tuple(dict.fromkeys(answer.question for answer in answers if not answer.unanswered))


class Together(NamedTuple):
    """Inquiries that a driver may run side by side; the reply is the tuple of their results in the same order."""

    inquiries: tuple[Generator[Any, Any, Any], ...]


Step = tuple[Question, ...] | Together

Inquiry = Generator[Step, Any, T]
"""A generator that yields steps, is sent the replies, and returns a ``T``."""


def ask(question: Question) -> Inquiry[Answer]:
    """Ask one question."""
    (answer,) = yield (question,)
    return cast(Answer, answer)


def ask_all(questions: Sequence[Question]) -> Inquiry[tuple[Answer, ...]]:
    """Ask several questions at once; the answers come in the same order. Asks nothing when there are none."""
    if not questions:
        return ()
    answers = yield tuple(questions)
    return cast("tuple[Answer, ...]", answers)


def together(*inquiries: Inquiry[T]) -> Inquiry[tuple[T, ...]]:
    """Run inquiries of one kind side by side."""
    if not inquiries:
        return ()
    results = yield Together(inquiries)
    return cast("tuple[T, ...]", results)


def both(first: Inquiry[T1], second: Inquiry[T2]) -> Inquiry[tuple[T1, T2]]:
    """Run two inquiries of different kinds side by side."""
    results = yield Together((first, second))
    return cast("tuple[T1, T2]", results)


Source = Callable[[Question], Answer]
"""Where a synchronous driver finds answers: evidence, a zone in a test, a cache."""


def run(inquiry: Inquiry[T], source: Source) -> T:
    """Drive an inquiry to its end without waiting for anybody."""
    try:
        reply: Any = None
        while True:
            try:
                step = inquiry.send(reply)
            except StopIteration as stop:
                return cast(T, stop.value)
            # Outside the try: a stray StopIteration from the source must not pass for a verdict.
            if isinstance(step, Together):
                reply = tuple(run(branch, source) for branch in step.inquiries)
            else:
                reply = tuple(source(question) for question in step)
    finally:
        inquiry.close()


def not_asked(question: Question, note: str) -> Answer:
    """The answer to a question that was never sent. ``note``: ``budget``, ``deadline``, ``unaskable``, ``evidence``."""
    return Answer(question, Status.NOT_ASKED, note=note)
