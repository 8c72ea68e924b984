"""What a sender programme advises, without requiring it, is not there."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.requirement import Requirement, Strength
from mailguard.rules.base import Confidence, Finding, Rule, Severity
from mailguard.rules.programme._group import facts_of


class AdviceUnmet(Finding):
    """What a sender programme advises is not there, as far as DNS shows."""

    rule = Rule("PROG003", "programme-advice-unmet", Severity.INFO, Confidence.LIKELY, cites=("sender programmes",))
    requirement: str  # in the notation of the standards
    programmes: tuple[str, ...]  # proper names
    sources: tuple[str, ...]  # titles, each with the day it was read
    requirement_ids: tuple[str, ...]  # as in the policy files, where titles in both languages stand


def check(dossier: Dossier) -> Iterator[AdviceUnmet]:
    """Only for programmes that somebody asked to be weighed."""
    for facts in facts_of(dossier, _counts):
        yield AdviceUnmet(**facts)


def _counts(requirement: Requirement) -> bool:
    return requirement.strength is Strength.ADVISED
