"""Where our verdict and checkdmarc's differ, and which known difference each case is.

Both sides are brought to the same few words first. checkdmarc has only valid and not valid; what it found "not there"
is told from what it found broken by the class of its exception. Of SPF we compare the whole tree, as it does: a record
is sound if no client's check ends in permerror.

A case belongs to the first category of its aspect whose condition holds. The conditions look at what was published and
answered, not at prose. What no condition explains is ``UNEXPLAINED``: a defect of one of the two that nobody knows yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from mailguard.dmarc.survey import DmarcStatus, DmarcSurvey
from mailguard.second_opinion.categories import UNEXPLAINED
from mailguard.second_opinion.differences import (
    DMARC_POLICY,
    DMARC_STATUS,
    MX_STATUS,
    SPF_LOOKUPS,
    SPF_STATUS,
    Condition,
    Ours,
    Theirs,
)
from mailguard.second_opinion.opinion import Opinion, PeerDmarc, PeerMx, PeerSpf
from mailguard.second_opinion.own import mx_status
from mailguard.spf.survey import SpfStatus, SpfSurvey
from mailguard.survey import Survey
from mailguard.zone.survey import MxStatus, ZoneSurvey


class Aspect(StrEnum):
    """What is compared."""

    SPF_STATUS = "spf.status"
    SPF_LOOKUPS = "spf.lookups"
    DMARC_STATUS = "dmarc.status"
    DMARC_POLICY = "dmarc.policy"
    MX_STATUS = "mx.status"


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One aspect on which the two differ; ``category`` is an id of categories.toml, or ``UNEXPLAINED``."""

    aspect: Aspect
    category: str
    ours: str
    theirs: str


def compare(survey: Survey, opinion: Opinion) -> tuple[Disagreement, ...]:
    """All disagreements. A verdict that checkdmarc could not give (``valid`` is ``None``) is none."""
    return (
        *_compare_spf(survey.spf, opinion.spf),
        *_compare_dmarc(survey.dmarc, opinion.dmarc),
        *_compare_mx(survey.zone, opinion.mx),
    )


def _compare_spf(ours: SpfSurvey, theirs: PeerSpf) -> Iterator[Disagreement]:
    if theirs.valid is None:
        return
    status, said = ours.outcome, _said_of_spf(theirs)
    if status != said:
        yield Disagreement(Aspect.SPF_STATUS, _first(SPF_STATUS, ours, theirs), status, said)
    if ours.lookups is not None and theirs.lookups is not None and ours.lookups != theirs.lookups:
        category = _first(SPF_LOOKUPS, ours, theirs)
        yield Disagreement(Aspect.SPF_LOOKUPS, category, str(ours.lookups), str(theirs.lookups))


def _compare_dmarc(ours: DmarcSurvey, theirs: PeerDmarc) -> Iterator[Disagreement]:
    if theirs.valid is None:
        return
    said = _said_of_dmarc(theirs)
    if ours.status != said:
        yield Disagreement(Aspect.DMARC_STATUS, _first(DMARC_STATUS, ours, theirs), ours.status, said)
    elif theirs.policy is not None and ours.effective.domain != theirs.policy:
        category = _first(DMARC_POLICY, ours, theirs)
        yield Disagreement(Aspect.DMARC_POLICY, category, ours.effective.domain, theirs.policy)


def _compare_mx(ours: ZoneSurvey, theirs: PeerMx) -> Iterator[Disagreement]:
    if theirs.valid is None:
        return
    status, said = mx_status(ours), _said_of_mx(theirs)
    if status != said:
        yield Disagreement(Aspect.MX_STATUS, _first(MX_STATUS, ours, theirs), status, said)


def _said_of_spf(theirs: PeerSpf) -> SpfStatus:
    if theirs.valid:
        return SpfStatus.VALID
    # The same class stands for an include without a record; then there is a record of the domain's own.
    return SpfStatus.NONE if theirs.kind == "SPFRecordNotFound" and theirs.record is None else SpfStatus.PERMERROR


def _said_of_dmarc(theirs: PeerDmarc) -> DmarcStatus:
    if theirs.valid:
        return DmarcStatus.VALID
    return DmarcStatus.NONE if theirs.kind in _NO_DMARC_RECORD else DmarcStatus.INVALID


_NO_DMARC_RECORD: Final = ("DMARCRecordNotFound", "DMARCRecordInWrongLocation")


def _said_of_mx(theirs: PeerMx) -> MxStatus:
    if theirs.valid and theirs.null:
        return MxStatus.NULL
    if theirs.valid and theirs.hosts:
        return MxStatus.HOSTS
    return MxStatus.NONE if theirs.valid or theirs.kind == "DNSExceptionNXDOMAIN" else MxStatus.INVALID


def _first(table: Mapping[str, Condition[Ours, Theirs]], ours: Ours, theirs: Theirs) -> str:
    return next((category for category, applies in table.items() if applies(ours, theirs)), UNEXPLAINED)
