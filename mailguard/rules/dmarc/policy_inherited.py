"""DMARC054: The domain has no record of its own; that of a domain above counts, which others may manage."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.discovery import Outcome
from mailguard.dossier import Dossier
from mailguard.rules.address import record_of_local_government
from mailguard.rules.base import Confidence, Finding, Rule, Severity
from mailguard.rules.dmarc._select import counted


class PolicyInherited(Finding):
    """The domain has no record of its own; that of a domain above counts, which others may manage."""

    rule = Rule("DMARC054", "policy-inherited", Severity.INFO, Confidence.POSSIBLE, cites=("RFC 9989 4.10.1",))

    policy_domain: str
    record: str
    outcome: str


def check(dossier: Dossier) -> Iterator[PolicyInherited]:
    """Look at the record that counts for the domain."""
    found = counted(dossier)
    survey = dossier.survey.dmarc
    if found and survey.inherited and survey.effective.domain is not Outcome.UNANSWERED:
        if any(record_of_local_government.check(dossier)):
            return  # tells the same, in words for that case
        yield PolicyInherited(
            at=survey.txt.question.name,
            seen_in=(survey.txt.question, *found.seen_in),
            policy_domain=str(survey.policy_domain),
            record=found.record.text,
            outcome=survey.effective.domain.value,
        )
