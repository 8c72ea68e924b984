"""A domain that should not send lets hosts send."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.spf import non_sender_authorises
from mailguard.zone.parked import authorises_hosts


class SilentButAuthorises(Finding):
    """The owner says that the domain does not send, and its SPF record lets hosts send."""

    rule = Rule("ZONE017", "silent-domain-authorises-hosts", Severity.MEDIUM, cites=("RFC 7208 10.1.2",))


def check(dossier: Dossier) -> Iterator[SilentButAuthorises]:
    """Quiet where SPF041 tells the same: for a readable record of a domain that still receives mail."""
    told = any(non_sender_authorises.check(dossier))
    if not told and dossier.expectation.sends is False and authorises_hosts(dossier.survey):
        yield SilentButAuthorises(at=dossier.survey.domain, seen_in=(dossier.survey.zone.txt.question,))
