"""An MX host without an address."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.zone._select import faulty_hosts
from mailguard.zone.survey import MxFault


class MxHostWithoutAddress(Finding):
    """An MX record names a host that has neither an IPv4 nor an IPv6 address."""

    rule = Rule("ZONE006", "mx-host-without-address", Severity.HIGH, cites=("RFC 5321 5.1",))
    host: str


def check(dossier: Dossier) -> Iterator[MxHostWithoutAddress]:
    for host, seen_in in faulty_hosts(dossier, MxFault.NO_ADDRESS):
        yield MxHostWithoutAddress(at=dossier.survey.domain, seen_in=seen_in, host=host.exchange)
