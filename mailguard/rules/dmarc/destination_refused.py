"""DMARC048: A destination outside the organisation has not published its consent, so that reporters discard it."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.destination import Reason
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import counted


class DestinationRefused(Finding):
    """A destination outside the organisation has not published its consent, so that reporters discard it."""

    rule = Rule("DMARC048", "destination-refused", Severity.MEDIUM, cites=("RFC 9990 4",))

    uri: str
    host: str
    policy_domain: str


def check(dossier: Dossier) -> Iterator[DestinationRefused]:
    """Look at the record that counts for the domain."""
    found = counted(dossier)
    for destination in dossier.survey.dmarc.destinations if found else ():
        consent = destination.consent
        if found and consent and destination.kind == "rua" and destination.reason is Reason.UNCONFIRMED:
            yield DestinationRefused(
                at=consent.question.name,
                seen_in=(*found.seen_in, consent.question),
                uri=destination.uri.text,
                host=str(destination.uri.host),
                policy_domain=str(dossier.survey.dmarc.policy_domain),
            )
