"""A requirement is not met of which we know only from others."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.requirement import Requirement, Standing, Strength
from mailguard.rules.base import Confidence, Finding, Rule, Severity
from mailguard.rules.programme._group import facts_of


class RequirementUnmetSecondHand(Finding):
    """What a sender programme is said to require is not met, as far as DNS shows."""

    rule = Rule(
        "PROG002", "requirement-unmet-second-hand", Severity.LOW, Confidence.POSSIBLE, cites=("sender programmes",)
    )
    requirement: str  # in the notation of the standards
    programmes: tuple[str, ...]  # proper names
    sources: tuple[str, ...]  # titles, each with the day it was read
    requirement_ids: tuple[str, ...]  # as in the policy files, where titles in both languages stand


def check(dossier: Dossier) -> Iterator[RequirementUnmetSecondHand]:
    """Only for programmes that somebody asked to be weighed."""
    for facts in facts_of(dossier, _counts):
        yield RequirementUnmetSecondHand(**facts)


def _counts(requirement: Requirement) -> bool:
    return requirement.strength is Strength.REQUIRED and requirement.source.standing is not Standing.READ
