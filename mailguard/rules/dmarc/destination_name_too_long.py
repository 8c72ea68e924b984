"""DMARC050: The name at which an outside destination would consent is too long for DNS."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.destination import Reason
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import counted


class DestinationNameTooLong(Finding):
    """The name at which an outside destination would consent is too long for DNS."""

    rule = Rule("DMARC050", "destination-name-too-long", Severity.LOW, cites=("RFC 9990 4",))

    uri: str
    host: str


def check(dossier: Dossier) -> Iterator[DestinationNameTooLong]:
    """Look at the record that counts for the domain."""
    found = counted(dossier)
    for destination in dossier.survey.dmarc.destinations if found else ():
        if found and destination.reason is Reason.NAME_TOO_LONG:
            yield DestinationNameTooLong(
                at=found.at, seen_in=found.seen_in, uri=destination.uri.text, host=str(destination.uri.host)
            )
