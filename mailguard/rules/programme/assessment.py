"""Whether a domain meets what is asked for, as far as DNS shows.

Every look answers *yes*, *no* or *cannot tell*; the last whenever a deciding answer is missing. A published key does
not prove that mail is signed with it, and a missing one does not prove that no service signs with its own name: what
needs a message to be seen is of another kind (``Kind.MESSAGE``) and is never answered here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from mailguard.dkim.key import Strength as KeyStrength
from mailguard.dkim.survey import DkimStatus
from mailguard.dmarc.discovery import Outcome
from mailguard.dmarc.record import Treatment
from mailguard.dmarc.survey import DmarcStatus
from mailguard.dossier import Dossier, MailingLists
from mailguard.inquiry import Question, RRType
from mailguard.names import DomainName
from mailguard.requirement import Kind, Programme, Requirement
from mailguard.spf.survey import SpfStatus
from mailguard.zone.survey import MxStatus


class Status(StrEnum):
    """How a requirement stands."""

    MET = "met"
    UNMET = "unmet"
    UNKNOWN = "unknown"  # a deciding answer is missing, or DNS leaves it open
    NOT_CHECKABLE = "not-checkable"  # it shows in messages or nowhere


@dataclass(frozen=True, slots=True)
class Row:
    """One requirement of one programme, and how the domain stands."""

    programme: Programme
    requirement: Requirement
    status: Status
    at: DomainName
    seen_in: tuple[Question, ...] = ()


def assess_programme(programme: Programme, dossier: Dossier) -> Iterator[Row]:
    """A row for each requirement, in the order of the policy file."""
    for requirement in programme.requirements:
        look = LOOKS.get(requirement.check)
        if requirement.kind is not Kind.DNS or look is None:
            yield Row(programme, requirement, Status.NOT_CHECKABLE, dossier.survey.domain)
            continue
        at, seen_in = _place(requirement.check, dossier)
        yield Row(programme, requirement, _STATUSES[look(dossier)], at, seen_in)


_STATUSES: Final = {True: Status.MET, False: Status.UNMET, None: Status.UNKNOWN}


def _place(check: str, dossier: Dossier) -> tuple[DomainName, tuple[Question, ...]]:
    """Where the record is or should be, and what was asked to know."""
    survey = dossier.survey
    domain = survey.domain
    dkim = survey.dkim.below.question
    # The whole include tree decides; what was not answered in it shows nothing.
    spf = tuple(dict.fromkeys(answer.question for answer in survey.spf.answers() if not answer.unanswered))
    keys = tuple(dict.fromkeys((dkim, *(facts.answer.question for facts in survey.dkim.told))))
    match check.partition("-")[0]:
        case "dmarc":
            nodes = survey.dmarc.walk.nodes
            return domain.child("_dmarc"), tuple(node.question for node in nodes if not node.unanswered)
        case "dkim":
            return dkim.name, keys
        case "mx":
            return domain, (Question(domain, RRType.MX),)
        case _:
            return domain, (*spf, *keys) if check == "spf-or-dkim" else spf


def _spf_published(dossier: Dossier) -> bool | None:
    """A record that ends in permerror is as good as none: no sender passes reliably (RFC 7208 section 2.6.7)."""
    status = dossier.survey.spf.outcome
    return None if status is SpfStatus.UNANSWERED else status is SpfStatus.VALID


def _spf_ip4(dossier: Dossier) -> bool | None:
    spf = dossier.survey.spf
    if spf.status is not SpfStatus.VALID:
        return None  # that there is no usable record is another requirement
    if spf.reach4.passes.size:
        return True
    return None if spf.reach4.unanswered or spf.reach4.dynamic or spf.reach4.maybe.size else False


def _spf_nobody(dossier: Dossier) -> bool | None:
    """Exactly ``v=spf1 -all`` (RFC 7208 section 10.1.2)."""
    spf = dossier.survey.spf
    if spf.status is SpfStatus.UNANSWERED:
        return None
    return spf.text is not None and spf.text.lower().split() == ["v=spf1", "-all"]


def _dkim_key(dossier: Dossier) -> bool | None:
    return {DkimStatus.PRESENT: True, DkimStatus.ABSENT: False}.get(dossier.survey.dkim.status)


def _dkim_none(dossier: Dossier) -> bool | None:
    dkim = dossier.survey.dkim
    if dkim.status is DkimStatus.PRESENT:
        return False
    revoked = dkim.wildcard is not None and dkim.wildcard.revoked
    return True if revoked or dkim.status is DkimStatus.ABSENT else None


def _no_key_is(*strengths: KeyStrength) -> Callable[[Dossier], bool | None]:
    def look(dossier: Dossier) -> bool | None:
        dkim = dossier.survey.dkim
        keys = [facts.key for facts in dkim.found if facts.key is not None and facts.key.flaw is None]
        if any(key.strength in strengths and not key.revoked for key in keys):
            return False
        return True if dkim.usable else None

    return look


def _spf_or_dkim(dossier: Dossier) -> bool | None:
    looks = (_spf_published(dossier), _dkim_key(dossier))
    if True in looks:
        return True
    return None if None in looks else False


def _dmarc_record(dossier: Dossier) -> bool | None:
    dmarc = dossier.survey.dmarc
    if dmarc.status is DmarcStatus.UNANSWERED:
        return None
    if dmarc.record is not None and dmarc.record.treatment is Treatment.MONITOR:
        return None  # RFC 9989 section 4.10.1 makes it p=none; what a programme makes of it is not written
    return dmarc.status is DmarcStatus.VALID


def _dmarc_rua(dossier: Dossier) -> bool | None:
    dmarc = dossier.survey.dmarc
    if dmarc.status is DmarcStatus.UNANSWERED:
        return None
    return dmarc.record is not None and bool(dmarc.record.rua)


def _dmarc_is(*wanted: Outcome) -> Callable[[Dossier], bool | None]:
    def look(dossier: Dossier) -> bool | None:
        found = dossier.survey.dmarc.effective.domain
        return None if found is Outcome.UNANSWERED else found in wanted

    return look


def _dmarc_as_chosen(dossier: Dossier) -> bool | None:
    """RFC 9989 section 7.4: no reject where people post to mailing lists; otherwise reject is the aim."""
    match dossier.expectation.mailing_lists:
        case MailingLists.YES:
            return _dmarc_is(Outcome.QUARANTINE)(dossier)
        case MailingLists.NO:
            return _dmarc_is(Outcome.REJECT)(dossier)
        case _:
            return None


def _dmarc_subdomains_reject(dossier: Dossier) -> bool | None:
    policies = dossier.survey.dmarc.effective
    found = (policies.subdomain, policies.nonexistent_subdomain)
    if any(one not in (Outcome.REJECT, Outcome.UNANSWERED) for one in found):
        return False
    return None if Outcome.UNANSWERED in found else True


def _mx_nobody(dossier: Dossier) -> bool | None:
    status = dossier.survey.zone.mx_status
    return None if status is MxStatus.UNANSWERED else status in (MxStatus.NULL, MxStatus.NONE)


LOOKS: Final[Mapping[str, Callable[[Dossier], bool | None]]] = {
    "spf-published": _spf_published,
    "spf-or-dkim": _spf_or_dkim,
    "spf-ip4": _spf_ip4,
    "spf-nobody": _spf_nobody,
    "dkim-key": _dkim_key,
    "dkim-1024": _no_key_is(KeyStrength.TOO_SHORT),
    "dkim-2048": _no_key_is(KeyStrength.TOO_SHORT, KeyStrength.WEAK),
    "dkim-none": _dkim_none,
    "dmarc-record": _dmarc_record,
    "dmarc-rua": _dmarc_rua,
    "dmarc-enforced": _dmarc_is(Outcome.QUARANTINE, Outcome.REJECT),
    "dmarc-reject": _dmarc_is(Outcome.REJECT),
    "dmarc-as-chosen": _dmarc_as_chosen,
    "dmarc-subdomains-reject": _dmarc_subdomains_reject,
    "mx-nobody": _mx_nobody,
}
"""Machine name of a check, as policy files write it, to the look that decides it."""


def unmet(dossier: Dossier) -> dict[str, list[Row]]:
    """Unmet rows of the programmes that somebody asked for, those of one check together, in order."""
    grouped: dict[str, list[Row]] = {}
    if dossier.expectation.sends is False:
        return grouped  # what is asked of senders is not asked of a domain that does not send
    for row in _rows(dossier.expectation.programmes, dossier):
        if row.status is Status.UNMET:
            grouped.setdefault(row.requirement.check, []).append(row)
    return grouped


def _rows(programmes: Iterable[Programme], dossier: Dossier) -> Iterator[Row]:
    for programme in programmes:
        if not programme.is_house:
            yield from assess_programme(programme, dossier)
