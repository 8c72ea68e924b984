"""Whether whoever answers sees the internet at all.

The DNS server of a closed network denies every name outside of it (NXDOMAIN). Believed, that would be the worst of
false alarms: a hospital's domain, declared not to exist. So where nothing shows that a domain exists, its top-level
domain is asked for, which certainly does. A server that cannot show even that is not believed in anything it denies:
what it said stays in the evidence as it came, and is read as unanswered.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, TypeVar

from mailguard.inquiry import Answer, Inquiry, Question, RRType, Status, Together, ask
from mailguard.names import DomainName

T = TypeVar("T")

CUT_OFF: Final = "cut-off"
"""The note of an answer that is not believed."""

WITNESS: Final = DomainName("com")
"""Asked for where the domain's own top-level domain is denied: that one may be misspelt, or private (``.local``)."""


def reaches_internet(domain: DomainName) -> Inquiry[bool]:
    """Whether the name servers of a top-level domain can be had: one question, two where the domain's own is denied.

    Only records count. A server that plays the root for its own network has some top-level domains, without data; and
    the root itself proves nothing, since such servers have a root of their own.
    """
    top = DomainName("".join(domain.labels[-1:]))
    own = yield from ask(Question(top, RRType.NS))
    if own.denies_name and top != WITNESS:
        return (yield from ask(Question(WITNESS, RRType.NS))).present
    return own.present


def doubted(answer: Answer) -> Answer:
    """The answer as of a server that does not reach the internet: an absence is none."""
    return replace(answer, status=Status.ERROR, note=CUT_OFF) if answer.absent else answer


def doubting(inquiry: Inquiry[T]) -> Inquiry[T]:
    """The same inquiry, which is told of no absence; what was asked before costs no question again."""
    reply: Any = None
    try:
        while True:
            try:
                step = inquiry.send(reply)
            except StopIteration as stop:
                result: T = stop.value
                return result
            if isinstance(step, Together):
                reply = yield Together(tuple(doubting(branch) for branch in step.inquiries))
            else:
                answers = yield step
                reply = tuple(map(doubted, answers))
    finally:
        inquiry.close()
