"""DMARC007: The record has neither a p tag nor a valid destination for reports, so that it is not applied."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.record import Treatment
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import counted


class PolicyMissing(Finding):
    """The record has neither a p tag nor a valid destination for reports, so that it is not applied."""

    rule = Rule("DMARC007", "policy-missing", Severity.CRITICAL, cites=("RFC 9989 4.10.1", "RFC 9989 4.7"))

    record: str


def check(dossier: Dossier) -> Iterator[PolicyMissing]:
    """Look at the record that counts for the domain."""
    found = counted(dossier)
    if found and not found.record.has("p") and found.record.treatment is Treatment.IGNORE:
        yield PolicyMissing(at=found.at, seen_in=found.seen_in, record=found.record.text)
