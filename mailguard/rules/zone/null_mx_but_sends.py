"""A domain without a mailbox that sends mail."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.zone.parked import authorises_hosts
from mailguard.zone.survey import MxStatus


class NullMxButSends(Finding):
    """The domain takes no mail (null MX), and SPF authorises hosts to send; receivers may refuse such mail."""

    rule = Rule("ZONE010", "null-mx-but-sends", Severity.HIGH, cites=("RFC 7505 4.2",))


def check(dossier: Dossier) -> Iterator[NullMxButSends]:
    zone = dossier.survey.zone
    if zone.mx_status is MxStatus.NULL and authorises_hosts(dossier.survey):
        yield NullMxButSends(at=zone.domain, seen_in=(zone.mx.question, zone.txt.question))
