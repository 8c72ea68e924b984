"""DMARC enforcement that rests on SPF alone."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dkim.survey import DkimStatus
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dkim._select import should_sign


class EnforcementWithoutDkim(Finding):
    """DMARC asks receivers to act on failing mail, and the domain has no DKIM key at all."""

    rule = Rule("DKIM004", "enforcement-without-dkim", Severity.HIGH, cites=("RFC 9989 7.4", "RFC 8020 2"))
    policy: str  # reject or quarantine


def check(dossier: Dossier) -> Iterator[EnforcementWithoutDkim]:
    survey = dossier.survey
    policy = survey.dmarc.effective.domain
    if survey.dkim.status is DkimStatus.ABSENT and policy.enforces and should_sign(dossier):
        seen_in = (*survey.dkim.questions, survey.dmarc.txt.question)
        yield EnforcementWithoutDkim(at=survey.dkim.below.question.name, seen_in=seen_in, policy=policy.value)
