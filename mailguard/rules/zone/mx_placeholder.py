"""A placeholder in an MX record."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.zone._select import faulty_hosts
from mailguard.zone.survey import MxFault


class MxPlaceholder(Finding):
    """An MX record of Microsoft 365 that only proves ownership of the domain was left in place."""

    rule = Rule("ZONE009", "mx-placeholder", Severity.MEDIUM, cites=("RFC 6761 6.4",))
    host: str


def check(dossier: Dossier) -> Iterator[MxPlaceholder]:
    for host, seen_in in faulty_hosts(dossier, MxFault.PLACEHOLDER):
        yield MxPlaceholder(at=dossier.survey.domain, seen_in=seen_in, host=host.exchange)
