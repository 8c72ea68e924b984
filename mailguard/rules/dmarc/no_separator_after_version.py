"""DMARC013: The version is not followed by a semicolon or has no equals sign, so that the text is no DMARC record."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.nearmiss import NearMiss
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import near_misses


class NoSeparatorAfterVersion(Finding):
    """The version is not followed by a semicolon or has no equals sign, so that the text is no DMARC record."""

    rule = Rule("DMARC013", "no-separator-after-version", Severity.CRITICAL, cites=("RFC 9989 4.8",))

    record: str


def check(dossier: Dossier) -> Iterator[NoSeparatorAfterVersion]:
    """Only where no record stands beside it."""
    question = dossier.survey.dmarc.txt.question
    for text in near_misses(dossier, NearMiss.NO_SEPARATOR):
        yield NoSeparatorAfterVersion(at=question.name, seen_in=(question,), record=text)
