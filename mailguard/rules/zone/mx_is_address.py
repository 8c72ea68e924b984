"""An IP address in an MX record."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.zone._select import faulty_hosts
from mailguard.zone.survey import MxFault


class MxIsAddress(Finding):
    """An MX record holds an IP address where a host name belongs."""

    rule = Rule("ZONE007", "mx-is-an-address", Severity.HIGH, cites=("RFC 5321 5.1", "RFC 1035 3.3.9"))
    host: str


def check(dossier: Dossier) -> Iterator[MxIsAddress]:
    for host, seen_in in faulty_hosts(dossier, MxFault.ADDRESS_AS_NAME):
        yield MxIsAddress(at=dossier.survey.domain, seen_in=seen_in, host=host.exchange)
