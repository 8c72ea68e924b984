"""DMARC012: A blank or an invisible character stands before the version, so that the text is no DMARC record."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.nearmiss import NearMiss
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import near_misses


class TextBeforeVersion(Finding):
    """A blank or an invisible character stands before the version, so that the text is no DMARC record."""

    rule = Rule("DMARC012", "text-before-version", Severity.CRITICAL, cites=("RFC 9989 4.8", "RFC 9989 4.10"))

    record: str


def check(dossier: Dossier) -> Iterator[TextBeforeVersion]:
    """Only where no record stands beside it."""
    question = dossier.survey.dmarc.txt.question
    for text in near_misses(dossier, NearMiss.LEADING_TEXT):
        yield TextBeforeVersion(at=question.name, seen_in=(question,), record=text)
