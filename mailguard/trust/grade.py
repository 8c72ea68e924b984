"""The grades of trust in a report."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """What is proved about the sender of the mail that carried a report (RFC 9990 3.5 wants an aligned pass)."""

    VERIFIED = "verified"  # the mail passed DMARC, and its author domain is the reporter's
    AUTHENTICATED = "authenticated"  # some domain is proved, but not that it is the reporter's
    UNVERIFIED = "unverified"  # nothing is proved; kept, shown apart, and counted nowhere by default


@dataclass(frozen=True, slots=True)
class Trust:
    """The grade of one report; ``domain`` is the proved domain (empty for none), ``reasons`` are codes for people."""

    grade: Grade
    domain: str = ""
    reasons: tuple[str, ...] = ()


UNVERIFIED = Trust(Grade.UNVERIFIED)
