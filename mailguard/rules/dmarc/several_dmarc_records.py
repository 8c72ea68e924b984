"""DMARC002: Several DMARC records stand at one name, so that receivers discard all of them."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity


class SeveralDmarcRecords(Finding):
    """Several DMARC records stand at one name, so that receivers discard all of them."""

    rule = Rule("DMARC002", "several-dmarc-records", Severity.CRITICAL, cites=("RFC 9989 4.10",))

    count: int
    records: tuple[str, ...]


def check(dossier: Dossier) -> Iterator[SeveralDmarcRecords]:
    """At the domain itself, or where its record would have been inherited from."""
    node = dossier.survey.dmarc.crowded
    if node:
        yield SeveralDmarcRecords(
            at=node.question.name, seen_in=(node.question,), count=len(node.records), records=node.records
        )
