"""No DKIM key at all."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dkim.survey import DkimStatus
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dkim._select import should_sign


class NoDkim(Finding):
    """The name server says that nothing exists below ``_domainkey``, so there is no key at any selector."""

    rule = Rule("DKIM005", "no-dkim-key", Severity.HIGH, cites=("RFC 8020 2", "RFC 6376 3.6.2.1"))


def check(dossier: Dossier) -> Iterator[NoDkim]:
    survey = dossier.survey
    enforced = survey.dmarc.effective.domain.enforces  # that is told by enforcement_without_dkim
    if survey.dkim.status is DkimStatus.ABSENT and not enforced and should_sign(dossier):
        yield NoDkim(at=survey.dkim.below.question.name, seen_in=survey.dkim.questions)
