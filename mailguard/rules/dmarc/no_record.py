"""DMARC001: There is no DMARC record for the domain, neither at its own name nor above."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.survey import DmarcStatus
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.zone._select import is_open_and_unused


class NoRecord(Finding):
    """There is no DMARC record for the domain, neither at its own name nor above."""

    rule = Rule("DMARC001", "no-record", Severity.CRITICAL, cites=("RFC 9989 4.10.1", "RFC 9989 5.1"))


def check(dossier: Dossier) -> Iterator[NoRecord]:
    """Quiet where a mistaken record was seen, or a domain that nobody uses: their own rules tell of that."""
    survey = dossier.survey.dmarc
    if survey.status is not DmarcStatus.NONE or survey.misplaced or survey.txt.aliases:
        return
    if dossier.survey.zone.is_missing or is_open_and_unused(dossier):
        return
    yield NoRecord(at=survey.txt.question.name, seen_in=tuple(node.question for node in survey.walk.nodes))
