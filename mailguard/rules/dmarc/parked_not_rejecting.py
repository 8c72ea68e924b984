"""DMARC060: The domain sends no mail but does not ask receivers to reject what comes in its name."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.record import Policy
from mailguard.dossier import Dossier
from mailguard.inquiry import answered
from mailguard.rules.base import Confidence, Finding, Rule, Severity
from mailguard.rules.dmarc._select import applied, sends_nothing
from mailguard.zone.parked import Piece, parked_state


class ParkedNotRejecting(Finding):
    """The domain sends no mail but does not ask receivers to reject what comes in its name."""

    rule = Rule(
        "DMARC060",
        "parked-not-rejecting",
        Severity.MEDIUM,
        Confidence.LIKELY,
        cites=("RFC 9989 5.1", "RFC 7208 10.1.2"),
    )

    record: str
    policy: str


def check(dossier: Dossier) -> Iterator[ParkedNotRejecting]:
    """Where the domain does not receive either, ZONE015 tells all that is missing at once."""
    found = applied(dossier)
    if found and found.asked and found.asked is not Policy.REJECT and sends_nothing(dossier):
        if Piece.DMARC in parked_state(dossier.survey, dossier.expectation).missing:
            return
        apex = answered(dossier.survey.dmarc.apex)
        yield ParkedNotRejecting(
            at=found.at, seen_in=(*found.seen_in, *apex), record=found.record.text, policy=found.asked.value
        )
