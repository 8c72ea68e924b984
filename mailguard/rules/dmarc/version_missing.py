"""DMARC015: The version is missing, so that the text is no DMARC record."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.nearmiss import NearMiss
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import near_misses


class VersionMissing(Finding):
    """The version is missing, so that the text is no DMARC record."""

    rule = Rule("DMARC015", "version-missing", Severity.CRITICAL, cites=("RFC 9989 4.7",))

    record: str


def check(dossier: Dossier) -> Iterator[VersionMissing]:
    """Only where no record stands beside it."""
    question = dossier.survey.dmarc.txt.question
    for text in near_misses(dossier, NearMiss.NO_VERSION):
        yield VersionMissing(at=question.name, seen_in=(question,), record=text)
