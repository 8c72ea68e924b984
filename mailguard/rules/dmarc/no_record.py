"""DMARC001: There is no DMARC record for the domain, neither at its own name nor above."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.survey import DmarcStatus
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity


class NoRecord(Finding):
    """There is no DMARC record for the domain, neither at its own name nor above."""

    rule = Rule("DMARC001", "no-record", Severity.CRITICAL, cites=("RFC 9989 4.10.1", "RFC 9989 5.1"))


def check(dossier: Dossier) -> Iterator[NoRecord]:
    """Quiet where a mistaken record was seen: its own rule tells of that."""
    survey = dossier.survey.dmarc
    if survey.status is not DmarcStatus.NONE or survey.misplaced or survey.txt.aliases:
        return
    yield NoRecord(at=survey.txt.question.name, seen_in=tuple(node.question for node in survey.walk.nodes))
