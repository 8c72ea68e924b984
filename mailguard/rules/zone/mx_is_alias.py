"""An MX host that is an alias."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.inquiry import answered
from mailguard.rules.base import Finding, Rule, Severity


class MxIsAlias(Finding):
    """An MX record names a CNAME, which the standard forbids."""

    rule = Rule("ZONE018", "mx-is-an-alias", Severity.LOW, cites=("RFC 2181 10.3", "RFC 5321 5.1"))
    host: str
    target: str


def check(dossier: Dossier) -> Iterator[MxIsAlias]:
    zone = dossier.survey.zone
    for host in zone.hosts:
        if host.is_alias:
            seen_in = answered(zone.mx, host.a, host.aaaa)
            target = (host.a.aliases or host.aaaa.aliases)[-1]
            yield MxIsAlias(at=zone.domain, seen_in=seen_in, host=host.exchange, target=target)
