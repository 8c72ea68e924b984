"""What verified aggregate reports of a window show, by who sent.

Numbers are the receivers' own; only reports of a proven reporter count (``Grade.VERIFIED``). Days are UTC days, because
reporters count so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

from mailguard.names import DomainName

if TYPE_CHECKING:
    from mailguard.providers import Provider, Providers


class SourceClass(StrEnum):
    """What can be said of a sending address from the reports and from DNS."""

    ALIGNED = "aligned"  # all of its mail passed DMARC: ours, or a service that is set up for us
    PARTLY = "partly"  # some of its mail passed: set up in part, or forwarding
    LISTED = "listed"  # nothing passed, though it signed in our name or stands in our SPF record: ours, not in order
    SERVICE = "service"  # a known mail service that authenticated as itself: perhaps ours, not set up
    UNKNOWN = "unknown"  # nothing ties it to us: a stranger, or forwarding without signatures


@dataclass(frozen=True, slots=True)
class Source:
    """One sending address. ``stopped`` were put into the junk folder or refused.

    An empty ``ip`` stands for all addresses together that are too many to be told one by one.
    """

    ip: str
    messages: int
    passed: int
    dkim_aligned: int
    spf_aligned: int
    stopped: int
    reporters: int
    kind: SourceClass
    provider: str = ""  # id of a recognised provider
    authenticated_as: tuple[str, ...] = ()  # domains of passing SPF or DKIM results that are not aligned


@dataclass(frozen=True, slots=True)
class Day:
    """The messages of one UTC day, by class. Without an entry no report tells of the day, which is not zero."""

    day: date
    messages: dict[SourceClass, int]

    @property
    def is_told(self) -> bool:
        """Whether a report tells of the day."""
        return bool(self.messages)


@dataclass(frozen=True, slots=True)
class Reporter:
    """Who told it: the domain that was proven, and what it calls itself."""

    org_name: str
    domain: str
    reports: int
    messages: int


@dataclass(frozen=True, slots=True)
class Traffic:
    """A window of whole UTC days, ``until`` included. ``unverified`` reports are told of, and count for nothing."""

    since: date
    until: date
    sources: tuple[Source, ...]  # most messages first
    days: tuple[Day, ...]
    reporters: tuple[Reporter, ...]
    unverified: int = 0

    @property
    def messages(self) -> int:
        """All messages reported."""
        return sum(source.messages for source in self.sources)

    @property
    def passed(self) -> int:
        """Those that passed DMARC."""
        return sum(source.passed for source in self.sources)

    def of(self, kind: SourceClass) -> int:
        """Messages from sources of a class."""
        return sum(source.messages for source in self.sources if source.kind is kind)

    @property
    def untold(self) -> int:
        """Days of the window of which no report tells."""
        return sum(not day.is_told for day in self.days)


@dataclass(frozen=True, slots=True)
class Seen:
    """What reporters say that a source's mail authenticated as: results of DKIM and SPF, aligned or not."""

    signed: frozenset[str] = frozenset()  # domains of DKIM signatures, whatever became of them
    passed: frozenset[str] = frozenset()  # domains for which DKIM or SPF passed


def classify(domain: DomainName, messages: int, passed: int, seen: Seen, knowledge: Providers) -> SourceClass:
    """The class of a source. ``domain`` is the reported domain; never raises on a reporter's texts."""
    if passed:
        return SourceClass.ALIGNED if passed >= messages else SourceClass.PARTLY
    if any(_is_ours(name, domain) for name in seen.signed | seen.passed):
        return SourceClass.LISTED
    return SourceClass.SERVICE if service_of(seen.passed, knowledge) else SourceClass.UNKNOWN


def service_of(names: Iterable[str], knowledge: Providers) -> Provider | None:
    """The mail service that one of the authenticated domains belongs to."""
    return next(filter(None, (knowledge.of_signer(name) for name in sorted(names))), None)


def _is_ours(name: str, domain: DomainName) -> bool:
    """Whether a domain of a result is the reported one, or lies below it."""
    return f".{name.lower().rstrip('.')}".endswith(f".{domain}")
