"""What verified aggregate reports of a window show, by who sent.

Numbers are the receivers' own; only reports of a proven reporter count (``Grade.VERIFIED``). Days are UTC days, because
reporters count so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class SourceClass(StrEnum):
    """What can be said of a sending address from the reports and from DNS."""

    ALIGNED = "aligned"  # all of its mail passed DMARC: ours, or a service that is set up for us
    PARTLY = "partly"  # some of its mail passed: set up in part, or forwarding
    LISTED = "listed"  # nothing passed though our SPF record lists it, or a key of ours signed: ours, not aligned
    SERVICE = "service"  # a known mail service that authenticated as itself: perhaps ours, not set up
    UNKNOWN = "unknown"  # nothing ties it to us: a stranger, or forwarding without signatures


@dataclass(frozen=True, slots=True)
class Source:
    """One sending address. ``stopped`` were put into the junk folder or refused."""

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
    """The messages of one UTC day, by class."""

    day: date
    messages: dict[SourceClass, int]


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
