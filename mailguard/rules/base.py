"""What a rule and a finding are.

A *rule* names one way to be wrong. A *finding* is one place where it was seen: a rule and typed facts, in no language
and not yet judged. The fields of a finding are the placeholders of its guide pages, so no sentence can lack its
facts. Severity says how bad, confidence how sure; a policy may weigh a rule otherwise (``policy/judgement.py``).

Ids are never reused. The name says what is wrong, never what to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import ClassVar

from mailguard.inquiry import Question
from mailguard.names import DomainName


class Severity(StrEnum):
    """How bad it is for a hospital if nothing is done."""

    CRITICAL = "critical"  # strangers can send in the hospital's name, or its own mail is being refused now
    HIGH = "high"  # the protection does not hold, or will break at the next ordinary change
    MEDIUM = "medium"  # some receivers will judge otherwise than the hospital expects
    LOW = "low"  # untidy; costs nobody a mail today
    INFO = "info"  # worth knowing, nothing to do

    @property
    def rank(self) -> int:
        """0 for critical, 4 for info."""
        return _RANKS[self]


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


class Confidence(StrEnum):
    """How sure mailguard is that the finding is true."""

    CERTAIN = "certain"  # follows from answers that were seen
    LIKELY = "likely"  # follows from what was seen unless something unusual holds
    POSSIBLE = "possible"  # worth a look by somebody who knows the organisation


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to be wrong.

    ``cites`` are clauses like ``"RFC 7208 4.6.4"``, the governing one first.
    """

    id: str
    name: str
    severity: Severity
    confidence: Confidence = Confidence.CERTAIN
    cites: tuple[str, ...] = ()
    since: str = "0.1"


Fact = str | int | tuple[str, ...]
"""What a placeholder may be filled with. A tuple is shown as a list in the reader's language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A rule seen broken somewhere. Subclasses add the facts as fields and set ``rule``."""

    rule: ClassVar[Rule]

    at: DomainName  # the DNS name whose record is wrong, or where a record should be
    seen_in: tuple[Question, ...]  # the questions whose answers show it, so every sentence can be traced

    @property
    def facts(self) -> Mapping[str, Fact]:
        """Field names and values, ``at`` included, ``seen_in`` not."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name != "seen_in"}
