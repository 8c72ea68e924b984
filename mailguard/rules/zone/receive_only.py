"""A domain that receives but does not send."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.zone.parked import says_it_never_sends
from mailguard.zone.survey import MxStatus


class ReceiveOnly(Finding):
    """SPF says that nobody sends for the domain, and MX records say where its mail goes; that is fine."""

    rule = Rule("ZONE023", "receive-only", Severity.INFO, cites=("RFC 7208 10.1.2",))
    hosts: tuple[str, ...]


def check(dossier: Dossier) -> Iterator[ReceiveOnly]:
    zone = dossier.survey.zone
    said = dossier.expectation.sends is not None or dossier.expectation.receives is not None
    if zone.mx_status is MxStatus.HOSTS and says_it_never_sends(dossier.survey) and not said:
        seen_in = (zone.mx.question, zone.txt.question)
        yield ReceiveOnly(at=zone.domain, seen_in=seen_in, hosts=zone.mx_hosts)
