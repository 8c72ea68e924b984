"""A null MX beside other MX records."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.names import ROOT
from mailguard.rules.base import Finding, Rule, Severity


class NullMxWithOthers(Finding):
    """A record says that the domain takes no mail, and others say where it goes."""

    rule = Rule("ZONE004", "null-mx-with-others", Severity.HIGH, cites=("RFC 7505 3",))
    hosts: tuple[str, ...]


def check(dossier: Dossier) -> Iterator[NullMxWithOthers]:
    zone = dossier.survey.zone
    exchanges = [record.exchange for record in zone.mx.exchanges]
    if ROOT in exchanges and zone.mx_hosts:
        yield NullMxWithOthers(at=zone.domain, seen_in=(zone.mx.question,), hosts=zone.mx_hosts)
