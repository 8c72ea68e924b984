"""A domain without mail that does not say so everywhere."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.inquiry import answered
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.zone._select import is_open_and_unused
from mailguard.zone.parked import Piece, parked_state


class ParkedIncomplete(Finding):
    """The domain neither sends nor receives, and some of the records that say so are missing."""

    rule = Rule("ZONE015", "parked-incomplete", Severity.MEDIUM, cites=("RFC 7208 10.1.2", "RFC 7505 3"))
    missing: tuple[str, ...]  # SPF, MX, DMARC, rua


def check(dossier: Dossier) -> Iterator[ParkedIncomplete]:
    survey = dossier.survey
    missing = parked_state(survey, dossier.expectation).missing
    # A missing report address alone is told by the rules about DMARC, a domain open to strangers by ZONE014.
    if set(missing) - {Piece.RUA} and not is_open_and_unused(dossier):
        yield ParkedIncomplete(
            at=survey.domain,
            seen_in=answered(survey.zone.txt, survey.zone.mx, survey.dmarc.txt),
            missing=tuple(piece.value for piece in missing),
        )
