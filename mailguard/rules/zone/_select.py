"""Which part of the zone a rule looks at."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.discovery import Outcome
from mailguard.dossier import Dossier
from mailguard.inquiry import Question
from mailguard.zone.parked import ParkedStatus, looks_unused, parked_state
from mailguard.zone.survey import MxFault, MxHost


def faulty_hosts(dossier: Dossier, *faults: MxFault) -> Iterator[tuple[MxHost, tuple[Question, ...]]]:
    """MX hosts with one of these faults, and the questions that show it."""
    zone = dossier.survey.zone
    for host in zone.hosts:
        if host.fault in faults:
            yield host, (zone.mx.question, *(each.question for each in (host.a, host.aaaa) if not each.unanswered))


def np_is_stronger(dossier: Dossier) -> bool:
    """The domain's own DMARC record asks more for subdomains that do not exist than for those that do."""
    dmarc = dossier.survey.dmarc
    policies = dmarc.effective
    return not dmarc.inherited and policies.nonexistent_subdomain.rank > policies.subdomain.rank > 0


def is_open_and_unused(dossier: Dossier) -> bool:
    """The domain is not used for mail, or looks so, and DMARC lets strangers use it."""
    survey, owner = dossier.survey, dossier.expectation
    if survey.zone.is_missing or survey.dmarc.effective.domain not in (Outcome.ABSENT, Outcome.NONE):
        return False
    unused = looks_unused(survey) and not owner.sends and not owner.receives
    return unused or parked_state(survey, owner).status is ParkedStatus.IMPERFECT
