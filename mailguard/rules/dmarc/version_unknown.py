"""DMARC009: The version is one that does not exist, so that the text is no DMARC record."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.nearmiss import NearMiss
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import near_misses


class VersionUnknown(Finding):
    """The version is one that does not exist, so that the text is no DMARC record."""

    rule = Rule("DMARC009", "version-unknown", Severity.CRITICAL, cites=("RFC 9989 4.7",))

    record: str


def check(dossier: Dossier) -> Iterator[VersionUnknown]:
    """Only where no record stands beside it."""
    question = dossier.survey.dmarc.txt.question
    for text in near_misses(dossier, NearMiss.WRONG_VERSION):
        yield VersionUnknown(at=question.name, seen_in=(question,), record=text)
