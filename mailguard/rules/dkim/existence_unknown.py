"""Nobody can tell from outside whether there is a DKIM key."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dkim.survey import DkimStatus
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dkim._select import should_sign


class ExistenceUnknown(Finding):
    """No usable key was seen at the selectors that were asked for; that does not mean that there is none."""

    rule = Rule("DKIM030", "dkim-unknown", Severity.INFO, cites=("RFC 6376 3.1", "RFC 8020 2"))
    asked: int  # selectors


def check(dossier: Dossier) -> Iterator[ExistenceUnknown]:
    dkim = dossier.survey.dkim
    if dkim.status is DkimStatus.UNKNOWN and not dkim.told and should_sign(dossier):
        yield ExistenceUnknown(at=dkim.below.question.name, seen_in=dkim.questions, asked=len(dkim.selectors))
