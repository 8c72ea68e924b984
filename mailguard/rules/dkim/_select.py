"""Which keys of the survey a DKIM rule looks at."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dkim.key import Flaw, KeyRecord, Remark
from mailguard.dkim.survey import SelectorFacts, SelectorStatus
from mailguard.dossier import Dossier
from mailguard.zone.parked import looks_unused, parked_state


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
    """The domain sends mail, as far as anybody has said; false where that is not known."""
    return parked_state(dossier.survey, dossier.expectation).sends is True and not looks_unused(dossier.survey)
