"""DMARC017: The place of the DMARC record is an alias whose target has no record."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity


class DanglingDmarcAlias(Finding):
    """The place of the DMARC record is an alias whose target has no record."""

    rule = Rule("DMARC017", "dangling-dmarc-alias", Severity.CRITICAL, cites=("RFC 9989 4.10", "RFC 9989 4.5"))

    target: str


def check(dossier: Dossier) -> Iterator[DanglingDmarcAlias]:
    """Look at the record that counts for the domain."""
    survey = dossier.survey.dmarc
    if survey.txt.absent and survey.txt.aliases:
        question = survey.txt.question
        yield DanglingDmarcAlias(at=question.name, seen_in=(question,), target=str(survey.txt.aliases[-1]))
