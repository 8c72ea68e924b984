"""DMARC019: The policy is none and no reports are asked for: nothing is stopped and nothing is learned."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.record import Policy
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import applied, sends_nothing, tells_reports


class MonitoringWithoutReports(Finding):
    """The policy is none and no reports are asked for: nothing is stopped and nothing is learned."""

    rule = Rule("DMARC019", "monitoring-without-reports", Severity.HIGH, cites=("RFC 9989 3.2.12", "RFC 9989 5.1"))

    record: str


def check(dossier: Dossier) -> Iterator[MonitoringWithoutReports]:
    """Look at the record that counts for the domain."""
    found = applied(dossier)
    if found and found.asked is Policy.NONE and not tells_reports(found.record) and not sends_nothing(dossier):
        yield MonitoringWithoutReports(at=found.at, seen_in=found.seen_in, record=found.record.text)
