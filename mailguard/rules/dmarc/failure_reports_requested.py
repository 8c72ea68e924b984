"""DMARC051: Failure reports are asked for; they may carry parts of single mails, hence personal data."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.destination import DestinationStatus
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import counted


class FailureReportsRequested(Finding):
    """Failure reports are asked for; they may carry parts of single mails, hence personal data."""

    rule = Rule("DMARC051", "failure-reports-requested", Severity.LOW, cites=("RFC 9989 10.1", "RFC 9991 5"))

    record: str
    uris: tuple[str, ...]


def check(dossier: Dossier) -> Iterator[FailureReportsRequested]:
    """Look at the record that counts for the domain."""
    found = counted(dossier)
    wanted = tuple(
        destination.uri.text
        for destination in dossier.survey.dmarc.destinations
        if destination.kind == "ruf" and destination.status is DestinationStatus.ACCEPTED
    )
    if found and wanted:
        yield FailureReportsRequested(at=found.at, seen_in=found.seen_in, record=found.record.text, uris=wanted)
