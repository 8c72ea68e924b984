"""What a fix is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from mailguard.inquiry import RRType
from mailguard.names import DomainName

MAX_STRING_OCTETS: Final = 255
"""Longest character-string of a TXT record (RFC 1035 section 3.3)."""


class Readiness(StrEnum):
    """Whether a record may be published without thinking."""

    PASTE = "paste-as-is"  # cannot stop mail that is accepted today
    DECIDE = "needs-your-decision"  # right in form; whether it is right for this organisation, only they know


class Reason(StrEnum):
    """Why a fix needs a decision."""

    TIGHTENS_POLICY = "tightens-policy"  # mail that passes no check would be treated more strictly
    LOOSENS_POLICY = "loosens-policy"  # the same mail would be treated more mildly, somewhere
    TIGHTENS_SPF = "tightens-spf"  # senders that are not listed would fail
    LOOSENS_SPF = "loosens-spf"  # a stricter word was published for senders that are not listed
    STOPS_AUTHORIZING = "stops-authorizing"  # a sender that is listed today would no longer be
    REPORT_ADDRESS = "report-address"  # a mailbox that must exist before the record is published
    RECORD_OF_OTHERS = "record-of-others"  # it stands at a domain above this one, and counts for all names below
    ASSUMES_NO_MAIL = "assumes-no-mail"  # right only if this domain really sends no mail


@dataclass(frozen=True, slots=True)
class FixRecord:
    """Record values at one name: those to take away, and those to publish in their place.

    Other records at the name stay untouched. An empty ``before`` means: add; an empty ``after``: remove.
    """

    name: DomainName
    rrtype: RRType
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fix:
    """What to publish, proved on the evidence: with all its records in place the findings of ``rules`` go away."""

    rules: tuple[str, ...]
    records: tuple[FixRecord, ...]
    readiness: Readiness
    reasons: tuple[Reason, ...] = ()


def split_strings(value: str, limit: int = MAX_STRING_OCTETS) -> tuple[str, ...]:
    """A TXT value as character-strings of at most ``limit`` octets, as DNS panels want long values.

    Joined with nothing between, the parts give the value back (RFC 7208 section 3.3).
    """
    octets = value.encode()
    parts, start = [], 0
    while start < len(octets):
        end = min(start + limit, len(octets))
        while end < len(octets) and (octets[end] & 0xC0) == 0x80:
            end -= 1  # never cut inside a character
        parts.append(octets[start:end].decode())
        start = end
    return tuple(parts) or ("",)
