"""DMARC008: The version is not written DMARC1 in capitals, so that the text is no DMARC record."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.nearmiss import NearMiss
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import near_misses


class VersionInWrongCase(Finding):
    """The version is not written DMARC1 in capitals, so that the text is no DMARC record."""

    rule = Rule("DMARC008", "version-in-wrong-case", Severity.CRITICAL, cites=("RFC 9989 4.7", "RFC 9989 4.8"))

    record: str


def check(dossier: Dossier) -> Iterator[VersionInWrongCase]:
    """Only where no record stands beside it."""
    question = dossier.survey.dmarc.txt.question
    for text in near_misses(dossier, NearMiss.WRONG_CASE):
        yield VersionInWrongCase(at=question.name, seen_in=(question,), record=text)
