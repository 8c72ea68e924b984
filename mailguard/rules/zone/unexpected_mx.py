"""A domain that should not receive has MX records."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity


class UnexpectedMx(Finding):
    """The owner says that the domain does not receive mail, and MX records say where it goes."""

    rule = Rule("ZONE022", "silent-domain-has-mx", Severity.LOW, cites=("RFC 7505 1",))
    hosts: tuple[str, ...]


def check(dossier: Dossier) -> Iterator[UnexpectedMx]:
    zone = dossier.survey.zone
    if dossier.expectation.receives is False and zone.mx_hosts:
        yield UnexpectedMx(at=zone.domain, seen_in=(zone.mx.question,), hosts=zone.mx_hosts)
