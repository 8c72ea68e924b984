"""DMARC041: False mail is to be stopped, but no reports are asked for, so that nobody sees what is stopped."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.record import Policy
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import applied, tells_reports


class NoReports(Finding):
    """False mail is to be stopped, but no reports are asked for, so that nobody sees what is stopped."""

    rule = Rule("DMARC041", "no-reports", Severity.MEDIUM, cites=("RFC 9989 8", "RFC 9989 4.7"))

    record: str


def check(dossier: Dossier) -> Iterator[NoReports]:
    """Look at the record that counts for the domain."""
    found = applied(dossier)
    if found and found.asked and found.asked is not Policy.NONE and not tells_reports(found.record):
        yield NoReports(at=found.at, seen_in=found.seen_in, record=found.record.text)
