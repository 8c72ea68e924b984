"""DMARC032: Receivers of RFC 9989 and of RFC 7489 come to different outcomes."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.discovery import Outcome
from mailguard.dmarc.record import Treatment
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity


class GenerationsDiffer(Finding):
    """Receivers of RFC 9989 and of RFC 7489 come to different outcomes."""

    rule = Rule("DMARC032", "generations-differ", Severity.LOW, cites=("RFC 9989 4.10", "RFC 7489 6.6.3"))

    new_domain: str
    new_subdomain: str
    new_nonexistent: str
    old_domain: str
    old_subdomain: str
    old_nonexistent: str


def check(dossier: Dossier) -> Iterator[GenerationsDiffer]:
    """Quiet where a rule of its own tells the cause (test mode, sampling, an unusable record)."""
    survey = dossier.survey.dmarc
    new, old, record = survey.effective, survey.legacy.effective, survey.record
    outcomes = (new.domain, new.subdomain, new.nonexistent_subdomain)
    former = (old.domain, old.subdomain, old.nonexistent_subdomain)
    if Outcome.UNANSWERED in (*outcomes, *former) or outcomes == former:
        return
    told = record is not None and (record.t or record.pct == 0 or record.treatment is not Treatment.APPLY)
    if told or len(survey.own.records) > 1:
        return
    yield GenerationsDiffer(
        at=survey.txt.question.name,
        seen_in=tuple(node.question for node in survey.nodes.values()),
        new_domain=new.domain.value,
        new_subdomain=new.subdomain.value,
        new_nonexistent=new.nonexistent_subdomain.value,
        old_domain=old.domain.value,
        old_subdomain=old.subdomain.value,
        old_nonexistent=old.nonexistent_subdomain.value,
    )
