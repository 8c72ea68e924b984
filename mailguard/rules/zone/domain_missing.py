"""The domain itself does not exist."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.inquiry import answered
from mailguard.rules.base import Finding, Rule, Severity


class DomainMissing(Finding):
    """The name server says that the domain does not exist: it is misspelt, expired or not delegated."""

    rule = Rule("ZONE001", "domain-does-not-exist", Severity.HIGH, cites=("RFC 8020 2", "RFC 2308 2.1"))


def check(dossier: Dossier) -> Iterator[DomainMissing]:
    zone = dossier.survey.zone
    if zone.is_missing:
        yield DomainMissing(at=zone.domain, seen_in=answered(zone.mx, zone.txt, zone.a, zone.aaaa))
