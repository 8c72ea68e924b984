"""DMARC011: Full-width letters or signs stand at the beginning of the text, so that it is no DMARC record."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.nearmiss import NearMiss
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import near_misses


class FullWidthLetters(Finding):
    """Full-width letters or signs stand at the beginning of the text, so that it is no DMARC record."""

    rule = Rule("DMARC011", "full-width-letters", Severity.CRITICAL, cites=("RFC 9989 4.8",))

    record: str


def check(dossier: Dossier) -> Iterator[FullWidthLetters]:
    """Only where no record stands beside it."""
    question = dossier.survey.dmarc.txt.question
    for text in near_misses(dossier, NearMiss.FULL_WIDTH):
        yield FullWidthLetters(at=question.name, seen_in=(question,), record=text)
