"""Which keys of the survey a DKIM rule looks at."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dkim.key import Flaw, KeyRecord, Remark
from mailguard.dkim.survey import SelectorFacts, SelectorStatus
from mailguard.dossier import Dossier
from mailguard.zone.parked import authorises_hosts, says_it_never_sends


def told_keys(dossier: Dossier) -> Iterator[tuple[SelectorFacts, KeyRecord]]:
    """The record that a verifier would use, at each selector that was found or that somebody named."""
    for facts in dossier.survey.dkim.told:
        if facts.key is not None and facts.status is not SelectorStatus.ABSENT:
            yield facts, facts.key


def flawed(dossier: Dossier, *flaws: Flaw) -> Iterator[tuple[SelectorFacts, KeyRecord]]:
    """Records that verifiers must discard for one of these reasons."""
    return ((facts, key) for facts, key in told_keys(dossier) if key.flaw in flaws)


def remarked(dossier: Dossier, *remarks: Remark) -> Iterator[tuple[SelectorFacts, KeyRecord]]:
    """Keys that verifiers can read, of which one of these things is to be said."""
    for facts, key in told_keys(dossier):
        if key.flaw is None and not key.revoked and not key.remarks.isdisjoint(remarks):
            yield facts, key


def should_sign(dossier: Dossier) -> bool:
    """The domain sends mail: its owner says so, or SPF lets hosts send, or people read mail there and may answer it.

    False where that is not known, and for a mere web site.
    """
    survey = dossier.survey
    if dossier.expectation.sends is not None:
        return dossier.expectation.sends
    if survey.zone.txt.aliases:
        return False  # an alias for a web host: the SPF and MX records there are that host's own
    return authorises_hosts(survey) or (bool(survey.zone.mx_hosts) and says_it_never_sends(survey) is False)
