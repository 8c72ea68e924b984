"""No MX record."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.inquiry import answered
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.zone.survey import MxStatus


class NoMx(Finding):
    """There is no MX record, so mail is delivered to the address of the web site."""

    rule = Rule("ZONE019", "no-mx-record", Severity.LOW, cites=("RFC 5321 5.1", "RFC 7505 1"))
    addresses: tuple[str, ...]


def check(dossier: Dossier) -> Iterator[NoMx]:
    zone = dossier.survey.zone
    if zone.mx_status is MxStatus.IMPLICIT:
        seen_in = answered(zone.mx, zone.a, zone.aaaa)
        yield NoMx(at=zone.domain, seen_in=seen_in, addresses=zone.a.addresses + zone.aaaa.addresses)
