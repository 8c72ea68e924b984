"""What check_host says, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mailguard.names import ROOT, DomainName


class Result(StrEnum):
    """What check_host says (section 2.6)."""

    NONE = "none"  # no domain to check, or no SPF record: nothing is known
    NEUTRAL = "neutral"  # the domain says that it says nothing about this client
    PASS = "pass"  # noqa: S105  # the client may send for the domain
    FAIL = "fail"  # the client may not
    SOFTFAIL = "softfail"  # the client probably may not
    TEMPERROR = "temperror"  # DNS did not answer; trying again may help
    PERMERROR = "permerror"  # the published records cannot be used; somebody has to mend them


class Problem(StrEnum):
    """Why the result is temperror or permerror."""

    UNANSWERED = "unanswered"
    MULTIPLE_RECORDS = "multiple-records"
    SYNTAX = "syntax"
    INCLUDE_NONE = "include-none"
    REDIRECT_NONE = "redirect-none"
    TOO_MANY_LOOKUPS = "too-many-lookups"
    TOO_MANY_VOID_LOOKUPS = "too-many-void-lookups"
    TOO_MANY_MX_HOSTS = "too-many-mx-hosts"


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A sender; an empty local part means postmaster (section 4.3)."""

    local: str
    domain: str

    @classmethod
    def parse(cls, mail_from: str, helo: str) -> Mailbox:
        """The sender of an SMTP transaction; an empty MAIL FROM means postmaster at the HELO name (section 2.4)."""
        local, at, domain = mail_from.rpartition("@")
        return cls(local or "postmaster", domain if at else mail_from) if mail_from else cls("postmaster", helo)

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"


@dataclass(frozen=True, slots=True)
class TraceStep:
    """One term that was evaluated, and what came of it. ``depth`` is 0 in the domain's own record."""

    depth: int
    domain: DomainName
    term: str
    matched: bool
    note: str = ""  # the result of an include or redirect, or the addresses that were compared


@dataclass(frozen=True, slots=True)
class SpfVerdict:
    """The result, and why."""

    result: Result
    domain: DomainName
    term: str = ""  # the directive that gave the result; empty for none, errors and the default neutral
    term_domain: DomainName = ROOT  # in whose record it stands
    problem: Problem | None = None
    problem_at: DomainName = ROOT  # whose record, or which name, the problem is about
    explanation: str = ""  # the domain's own words for a fail (section 6.2); text from outside
    lookups: int = 0
    void_lookups: int = 0
    trace: tuple[TraceStep, ...] = ()
