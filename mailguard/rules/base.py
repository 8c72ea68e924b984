"""What a rule and a finding are.

A *rule* names one way to be wrong. A *finding* is one place where it was seen: a rule and typed facts, in no language
and not yet judged. The fields of a finding are the placeholders of its guide pages, so no sentence can lack its
facts. Severity says how bad, confidence how sure; a policy may weigh a rule otherwise (``policy/judgement.py``).

Ids are never reused. The name says what is wrong, never what to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, dataclass_transform

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


@dataclass_transform(kw_only_default=True, frozen_default=True)
class _Facts:
    """Works like a frozen, keyword-only dataclass, and type checkers take it for one.

    It is none, because every start of the program makes some two hundred of these classes, and dataclass() compiles new
    code for each of them.
    """

    _fields: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        """Learn the subclass's fields."""
        cls._fields = (*cls._fields, *(name for name in cls.__annotations__ if name != "rule"))

    def __init__(self, **facts: object) -> None:
        """Raises TypeError unless exactly the fields are given."""
        if facts.keys() != set(self._fields):
            raise TypeError(f"{type(self).__name__} takes {self._fields}, not {tuple(facts)}")
        self.__dict__.update(facts)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a finding does not change: {name}")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.__dict__ == self.__dict__

    def __hash__(self) -> int:
        return hash((type(self), *(self.__dict__[name] for name in self._fields)))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={self.__dict__[name]!r}' for name in self._fields)})"


class Finding(_Facts):
    """A rule seen broken somewhere. Subclasses add the facts as annotated fields and set ``rule``."""

    rule: ClassVar[Rule]

    at: DomainName  # the DNS name whose record is wrong, or where a record should be
    seen_in: tuple[Question, ...]  # the questions whose answers show it, so every sentence can be traced

    @classmethod
    def placeholders(cls) -> frozenset[str]:
        """Names of the facts, which guide pages may use."""
        return frozenset(cls._fields) - {"seen_in"}

    @property
    def facts(self) -> Mapping[str, Fact]:
        """Field names and values, ``at`` included, ``seen_in`` not."""
        return {name: fact for name, fact in self.__dict__.items() if name != "seen_in"}
