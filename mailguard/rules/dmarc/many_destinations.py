"""DMARC046: More than two destinations for reports: receivers of RFC 7489 need not serve more."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import counted


class ManyDestinations(Finding):
    """More than two destinations for reports: receivers of RFC 7489 need not serve more."""

    rule = Rule("DMARC046", "many-destinations", Severity.LOW, cites=("RFC 7489 6.2", "RFC 9989 4.7"))

    record: str
    count: int


def check(dossier: Dossier) -> Iterator[ManyDestinations]:
    """Look at the record that counts for the domain."""
    found = counted(dossier)
    if found and sum(bool(uri.text) for uri in found.record.rua) > 2:
        count = sum(bool(uri.text) for uri in found.record.rua)
        yield ManyDestinations(at=found.at, seen_in=found.seen_in, record=found.record.text, count=count)
