"""Nobody can tell from outside whether there is a DKIM key."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dkim.survey import DkimStatus
from mailguard.dossier import Dossier
from mailguard.inquiry import answered
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dkim._select import should_sign


class ExistenceUnknown(Finding):
    """No usable key was seen at the selectors that were asked for; that does not mean that there is none."""

    rule = Rule("DKIM030", "dkim-unknown", Severity.INFO, cites=("RFC 6376 3.1", "RFC 8020 2"))
    asked: int  # selectors


def check(dossier: Dossier) -> Iterator[ExistenceUnknown]:
    dkim = dossier.survey.dkim
    if dkim.status is DkimStatus.UNKNOWN and not (dkim.told or dkim.unseen) and should_sign(dossier):
        seen_in = answered(dkim.below, dkim.control, *(facts.answer for facts in dkim.selectors))
        yield ExistenceUnknown(at=dkim.below.question.name, seen_in=seen_in, asked=len(dkim.selectors))
