"""An MX host that does not exist."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.zone._select import faulty_hosts
from mailguard.zone.survey import MxFault


class MxHostMissing(Finding):
    """An MX record names a host that does not exist."""

    rule = Rule("ZONE005", "mx-host-does-not-exist", Severity.HIGH, cites=("RFC 5321 5.1", "RFC 8020 2"))
    host: str


def check(dossier: Dossier) -> Iterator[MxHostMissing]:
    for host, seen_in in faulty_hosts(dossier, MxFault.NO_SUCH_HOST):
        yield MxHostMissing(at=dossier.survey.domain, seen_in=seen_in, host=host.exchange)
