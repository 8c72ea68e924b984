"""DMARC049: The consent replaces the destination by one at another host, so that reports go to neither."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.destination import Reason
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import counted


class DestinationReplacedElsewhere(Finding):
    """The consent replaces the destination by one at another host, so that reports go to neither."""

    rule = Rule("DMARC049", "destination-replaced-elsewhere", Severity.MEDIUM, cites=("RFC 9990 4",))

    uri: str
    host: str
    replaced_by: tuple[str, ...]


def check(dossier: Dossier) -> Iterator[DestinationReplacedElsewhere]:
    """Look at the record that counts for the domain."""
    found = counted(dossier)
    for destination in dossier.survey.dmarc.destinations if found else ():
        if found and destination.consent and destination.reason is Reason.OTHER_HOST:
            yield DestinationReplacedElsewhere(
                at=destination.consent.question.name,
                seen_in=(*found.seen_in, destination.consent.question),
                uri=destination.uri.text,
                host=str(destination.uri.host),
                replaced_by=destination.replaced_by,
            )
