"""Our verdicts in the words in which they can be compared with checkdmarc's."""

from __future__ import annotations

from typing import Final

from mailguard.spf.expansion import Branch, BranchStatus
from mailguard.spf.limits import MAX_LOOKUPS, MAX_VOID_LOOKUPS
from mailguard.spf.survey import SpfStatus, SpfSurvey
from mailguard.spf.terms import Kind, Modifier
from mailguard.zone.survey import MxStatus, ZoneSurvey


def spf_status(survey: SpfSurvey) -> SpfStatus:
    """Our verdict on the whole tree: permerror if some client's check must end so, else unanswered where it may."""
    if survey.status is not SpfStatus.VALID:
        return survey.status
    tree = survey.tree
    if tree.lookups > MAX_LOOKUPS or tree.void4 > MAX_VOID_LOOKUPS or _breaks(survey):
        return SpfStatus.PERMERROR
    unknown = any(branch.status in _NOT_SEEN for branch in tree.walk())
    return SpfStatus.UNANSWERED if unknown else SpfStatus.VALID


_NOT_SEEN: Final = (BranchStatus.UNANSWERED, BranchStatus.NOT_ASKED)


def _breaks(survey: SpfSurvey) -> bool:
    return any(
        branch.status is BranchStatus.TOO_MANY_HOSTS or (branch.status.breaks and _leads_to_a_record(branch))
        for branch in survey.tree.walk()
    )


def _leads_to_a_record(branch: Branch) -> bool:
    return isinstance(branch.term, Modifier) or branch.term.kind is Kind.INCLUDE


def mx_status(survey: ZoneSurvey) -> MxStatus:
    """What the MX record set says, hosts not looked at and no address of the domain itself: that is all it is asked."""
    if survey.mx.absent:
        return MxStatus.NONE
    if survey.mx_status is MxStatus.INVALID and all(mx.exchange for mx in survey.mx.exchanges):
        return MxStatus.HOSTS
    return survey.mx_status
