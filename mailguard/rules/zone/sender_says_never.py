"""A domain that sends says that it never does."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.zone.edit import NEVER_SENDS
from mailguard.zone.parked import says_it_never_sends


class SenderSaysNever(Finding):
    """The owner says that the domain sends mail, and SPF says that nobody may."""

    rule = Rule("ZONE002", "sender-says-it-never-sends", Severity.CRITICAL, cites=("RFC 7208 5.1", "RFC 7208 10.1.2"))
    record: str


def check(dossier: Dossier) -> Iterator[SenderSaysNever]:
    if dossier.expectation.sends and says_it_never_sends(dossier.survey):
        zone = dossier.survey.zone
        yield SenderSaysNever(at=zone.domain, seen_in=(zone.txt.question,), record=NEVER_SENDS)
