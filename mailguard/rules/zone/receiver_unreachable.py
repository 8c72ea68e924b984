"""A domain that receives takes no mail."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.inquiry import answered
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.zone.survey import MxStatus


class ReceiverUnreachable(Finding):
    """The owner says that the domain receives mail, and DNS says that it takes none."""

    rule = Rule("ZONE003", "receiver-takes-no-mail", Severity.CRITICAL, cites=("RFC 7505 3", "RFC 5321 5.1"))


def check(dossier: Dossier) -> Iterator[ReceiverUnreachable]:
    zone = dossier.survey.zone
    nowhere = zone.mx_status in (MxStatus.NULL, MxStatus.NONE)
    if dossier.expectation.receives and nowhere and not zone.is_missing:
        yield ReceiverUnreachable(at=zone.domain, seen_in=answered(zone.mx, zone.a, zone.aaaa))
