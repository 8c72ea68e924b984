"""Whether an authenticated domain speaks for the author domain (RFC 9989 sections 4.4 and 4.10.2)."""

from __future__ import annotations

from enum import StrEnum

from mailguard.dmarc.record import Mode
from mailguard.dmarc.walk import take_walk
from mailguard.inquiry import Inquiry, together
from mailguard.names import DomainName


class Alignment(StrEnum):
    """Outcome of the comparison."""

    ALIGNED = "aligned"
    UNALIGNED = "unaligned"
    UNANSWERED = "unanswered"  # an organizational domain could not be found out


def check_alignment(author: DomainName, identifier: DomainName, mode: Mode) -> Inquiry[Alignment]:
    """Compare the author domain with an authenticated one: a MAIL FROM domain with SPF pass, or the d= of a signature.

    Asks nothing where the names are equal or the mode is strict, else at most 16 questions in one round.
    """
    if author == identifier:
        return Alignment.ALIGNED
    if mode is Mode.STRICT:
        return Alignment.UNALIGNED
    walks = yield from together(take_walk(author), take_walk(identifier))
    ours, theirs = (walk.organizational_domain for walk in walks)
    if ours is None or theirs is None:
        return Alignment.UNANSWERED
    return Alignment.ALIGNED if ours == theirs else Alignment.UNALIGNED
