"""DMARC020: The policy is none with reports: a sound first stage, at which nothing is stopped yet."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.record import Policy
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import applied, sends_nothing, tells_reports


class MonitoringOnly(Finding):
    """The policy is none with reports: a sound first stage, at which nothing is stopped yet."""

    rule = Rule(
        "DMARC020", "monitoring-only", Severity.MEDIUM, cites=("RFC 9989 3.2.12", "RFC 9989 5.1", "RFC 9989 7.4")
    )

    record: str


def check(dossier: Dossier) -> Iterator[MonitoringOnly]:
    """Look at the record that counts for the domain."""
    found = applied(dossier)
    if found and found.asked is Policy.NONE and tells_reports(found.record) and not sends_nothing(dossier):
        yield MonitoringOnly(at=found.at, seen_in=found.seen_in, record=found.record.text)
