"""DMARC006: The record has no p tag; as it names a destination for reports, it counts as p=none."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.record import Treatment
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import counted


class PolicyMissingButReporting(Finding):
    """The record has no p tag; as it names a destination for reports, it counts as p=none."""

    rule = Rule("DMARC006", "policy-missing-but-reporting", Severity.HIGH, cites=("RFC 9989 4.10.1", "RFC 9989 4.7"))

    record: str


def check(dossier: Dossier) -> Iterator[PolicyMissingButReporting]:
    """Look at the record that counts for the domain."""
    found = counted(dossier)
    if found and not found.record.has("p") and found.record.treatment is Treatment.MONITOR:
        yield PolicyMissingButReporting(at=found.at, seen_in=found.seen_in, record=found.record.text)
