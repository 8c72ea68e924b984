"""Is this domain used for mail at all, and if not, does it say so everywhere it can?

A domain that neither sends nor receives is *parked*. Whether it sends and whether it receives are two questions, each
answered by the owner's word or else by what is published, never by silent guessing. What a parked domain should publish
follows BSI TR-03182-P module L and the M3AAWG practice for parked domains.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from mailguard.dmarc.discovery import Outcome
from mailguard.dossier import Expectation
from mailguard.spf.record import select_records
from mailguard.survey import Survey
from mailguard.zone.survey import MxStatus


class ParkedStatus(StrEnum):
    """Whether the domain is parked, and how well."""

    PERFECT = "perfect"
    IMPERFECT = "imperfect"
    NOT_PARKED = "not_parked"
    UNANSWERED = "unanswered"


class Piece(StrEnum):
    """One record that a parked domain should have."""

    SPF = "SPF"  # v=spf1 -all and nothing else
    MX = "MX"  # a null MX, or neither MX nor address
    DMARC = "DMARC"  # reject for the domain and whatever lies below it
    RUA = "rua"  # reports, so that abuse is seen


@dataclass(frozen=True, slots=True)
class Parking:
    """How a domain stands.

    ``sends`` is true unless somebody says that it does not; ``None``: it could not be found out.
    """

    sends: bool | None
    receives: bool | None
    status: ParkedStatus
    missing: tuple[Piece, ...] = ()


def parked_state(survey: Survey, expectation: Expectation) -> Parking:
    """Whether ``survey.domain`` is parked, by the owner's word or by what is published. Pure; never raises."""
    sends = expectation.sends if expectation.sends is not None else _publishes_sending(survey)
    receives = expectation.receives if expectation.receives is not None else publishes_receiving(survey)
    if sends or receives:
        return Parking(sends, receives, ParkedStatus.NOT_PARKED)
    if sends is None or receives is None:
        return Parking(sends, receives, ParkedStatus.UNANSWERED)
    return _inspect(survey)


def is_without_mail(survey: Survey, expectation: Expectation) -> bool:
    """Whether no genuine mail can be lost by refusing all mail of the domain, as far as it was said or seen.

    Its owner says that it does not send; or it publishes that it neither sends nor receives; or nobody seems to use it
    for mail. SPF alone, with MX records beside it, is no proof: it may be the SPF record that is wrong.
    """
    if survey.zone.is_missing:
        return False
    if expectation.sends is not None:
        return not expectation.sends
    parked = parked_state(survey, expectation).status in (ParkedStatus.PERFECT, ParkedStatus.IMPERFECT)
    return parked or (looks_unused(survey) and not expectation.receives)


def says_it_never_sends(survey: Survey) -> bool | None:
    """SPF is exactly ``v=spf1 -all``; ``None`` where the answer is missing.

    No SPF record at all says nothing about sending, so it does not count as "never sends".
    """
    if survey.zone.txt.unanswered:
        return None
    records = select_records(survey.zone.txt.txts)
    return len(records) == 1 and records[0].joined.lower().split() == [b"v=spf1", b"-all"]


def looks_unused(survey: Survey) -> bool:
    """Neither MX nor address nor SPF record, and a server said so: nobody seems to use the domain for mail."""
    zone = survey.zone
    return zone.mx_status is MxStatus.NONE and not zone.txt.unanswered and not select_records(zone.txt.txts)


def authorises_hosts(survey: Survey) -> bool:
    """SPF lets at least one host send; false also where there is no record, or more than one."""
    records = select_records(survey.zone.txt.txts)
    return len(records) == 1 and may_pass(records[0].joined)


def may_pass(record: bytes) -> bool:
    """Some term of an SPF record may give a pass: a mechanism with ``+`` or no qualifier, or a redirect."""
    return any(map(_may_pass, record.decode("latin-1").lower().split()[1:]))


# RFC 7208 section 4.6.1: a modifier has "=" right after its name, a mechanism ":" or "/" or nothing. No qualifier
# means "+" (section 4.6.2).
def _may_pass(term: str) -> bool:
    return term.startswith("redirect=") or re.match(r"\+?[a-z][a-z0-9_.-]*(?![a-z0-9_.=-])", term) is not None


def _publishes_sending(survey: Survey) -> bool | None:
    never = says_it_never_sends(survey)
    return None if never is None else not never


def publishes_receiving(survey: Survey) -> bool | None:
    """Mail to the domain is delivered somewhere, if only to its web server; ``None`` where that is not known."""
    status = survey.zone.mx_status
    if status is MxStatus.UNANSWERED:
        return None
    return status not in (MxStatus.NULL, MxStatus.NONE)


def _inspect(survey: Survey) -> Parking:
    record = survey.dmarc.record
    present = {
        Piece.SPF: says_it_never_sends(survey),
        Piece.MX: None if survey.zone.mx_status is MxStatus.UNANSWERED else not publishes_receiving(survey),
        Piece.DMARC: rejects_everywhere(survey),
        Piece.RUA: None if survey.dmarc.discovery.unanswered else bool(record and record.rua),
    }
    missing = tuple(piece for piece, holds in present.items() if holds is False)
    if missing:
        return Parking(False, False, ParkedStatus.IMPERFECT, missing)
    known = all(holds is not None for holds in present.values())
    return Parking(False, False, ParkedStatus.PERFECT if known else ParkedStatus.UNANSWERED)


def rejects_everywhere(survey: Survey) -> bool | None:
    """Reject applies to the domain and to whatever lies below it; ``None`` where that is not known."""
    effective = survey.dmarc.effective
    policies = (effective.domain, effective.subdomain, effective.nonexistent_subdomain)
    if any(policy not in (Outcome.REJECT, Outcome.UNANSWERED) for policy in policies):
        return False
    return None if Outcome.UNANSWERED in policies else True
