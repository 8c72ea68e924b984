"""An MX host that nobody outside can reach."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.zone._select import faulty_hosts
from mailguard.zone.survey import MxFault


class MxUnreachable(Finding):
    """An MX record names a host that exists only inside a network."""

    rule = Rule("ZONE008", "mx-host-is-private", Severity.HIGH, cites=("RFC 5321 5.1", "RFC 6761 6.3"))
    host: str
    addresses: tuple[str, ...]


def check(dossier: Dossier) -> Iterator[MxUnreachable]:
    for host, seen_in in faulty_hosts(dossier, MxFault.LOCALHOST, MxFault.PRIVATE):
        yield MxUnreachable(at=dossier.survey.domain, seen_in=seen_in, host=host.exchange, addresses=host.addresses)
