"""Which records might correct a finding, and whether publishing them is a matter of course.

Each standard's ``edit`` module knows how to write its corrected records; here they become changes to the zone as it is,
and it is said what speaks against pasting them unread.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from mailguard.dmarc import edit as dmarc_edit
from mailguard.inquiry import RRType
from mailguard.names import DomainName
from mailguard.remedy.fix import FixRecord, Reason
from mailguard.rules.base import Finding
from mailguard.spf import edit as spf_edit
from mailguard.spf.networks import PRIVATE
from mailguard.spf.reach import Reach
from mailguard.spf.space import space_of
from mailguard.spf.survey import SpfSurvey
from mailguard.spf.terms import Directive, Kind, Qualifier
from mailguard.survey import Survey
from mailguard.zone import edit as zone_edit
from mailguard.zone.survey import MxStatus


@dataclass(frozen=True, slots=True)
class Proposal:
    """Records that might correct a finding. With a reason it needs a decision; without one it may be pasted."""

    records: tuple[FixRecord, ...]
    reasons: tuple[Reason, ...] = ()


def propose(finding: Finding, survey: Survey) -> Iterator[Proposal]:
    """Proposals for one finding; none where nobody outside can know what to publish."""
    rule_id = finding.rule.id
    for proposal in (_for_dmarc(rule_id, survey), _for_spf(rule_id, survey), _for_zone(rule_id, survey)):
        if proposal is not None and any(record.before != record.after for record in proposal.records):
            yield proposal


_FOR_NO_MAIL: Final = frozenset({"DMARC060", "SPF041"})
"""Rules about domains that send nothing: their records would stop all mail of a domain that does."""


def _for_dmarc(rule_id: str, survey: Survey) -> Proposal | None:
    dmarc = survey.dmarc
    after = dmarc_edit.propose(rule_id, dmarc)
    if after is None:
        return None
    # An inherited record is corrected where it stands; what was meant for the domain itself belongs there.
    place = dmarc_edit.place(rule_id, dmarc)
    counting = dmarc.record.text if dmarc.record else None
    before = dmarc.nodes[place].records or (dmarc.near_misses if place == dmarc.domain else ())
    reasons = []
    if dmarc_edit.tightens(counting, after):
        reasons.append(Reason.TIGHTENS_POLICY)
    if dmarc_edit.REPORT_MAILBOX in after and dmarc_edit.REPORT_MAILBOX not in (counting or ""):
        if survey.zone.mx_status in (MxStatus.NULL, MxStatus.NONE):
            return None  # the mailbox could never receive a report
        reasons.append(Reason.REPORT_ADDRESS)
    return _proposal(rule_id, place.child("_dmarc"), before, after, reasons)


def _for_spf(rule_id: str, survey: Survey) -> Proposal | None:
    after = spf_edit.propose(rule_id, survey.spf)
    if after is None:
        return None
    texts = [txt.joined for txt in survey.spf.candidates] or list(survey.spf.lookalikes)
    before = tuple(text.decode("utf-8", "backslashreplace") for text in texts)
    return _proposal(rule_id, survey.domain, before, after, [])


def _for_zone(rule_id: str, survey: Survey) -> Proposal | None:
    records = tuple(FixRecord(*record) for record in zone_edit.propose(rule_id, survey))
    return Proposal(records, (Reason.ASSUMES_NO_MAIL,)) if records else None


def _proposal(rule_id: str, name: DomainName, before: tuple[str, ...], after: str, reasons: list[Reason]) -> Proposal:
    assumed = [Reason.ASSUMES_NO_MAIL] if rule_id in _FOR_NO_MAIL else []
    return Proposal((FixRecord(name, RRType.TXT, before, (after,)),), (*reasons, *assumed))


def reasons_in_spf(before: SpfSurvey, after: SpfSurvey) -> tuple[Reason, ...]:
    """What speaks against pasting a change to SPF unread, seen by comparing the domain before and after."""
    reasons = []
    if _strictness(after) > _strictness(before):
        reasons.append(Reason.TIGHTENS_SPF)
    if (
        _lost(before.reach4, after.reach4)
        or _lost(before.reach6, after.reach6)
        or _ptr_terms(before) > _ptr_terms(after)
    ):
        reasons.append(Reason.STOPS_AUTHORIZING)
    return tuple(reasons)


def _strictness(spf: SpfSurvey) -> int:
    """How the text treats addresses that match nothing; a record without ``all`` is neutral (RFC 7208 section 4.7)."""
    written = spf.record.all.qualifier if spf.record and spf.record.all else (spf.all or Qualifier.NEUTRAL)
    return _FROM_MILD_TO_STRICT.index(written)


_FROM_MILD_TO_STRICT: Final = (Qualifier.PASS, Qualifier.NEUTRAL, Qualifier.SOFTFAIL, Qualifier.FAIL)


def _lost(before: Reach, after: Reach) -> bool:
    """Whether an address that may pass today may no longer. Private addresses reach nobody, so they do not count."""
    kept = after.passes | after.maybe | space_of(before.version, PRIVATE)
    return bool(((before.passes | before.maybe) - kept).ranges)


def _ptr_terms(spf: SpfSurvey) -> int:
    """Terms whose addresses cannot be listed."""
    return sum(
        isinstance(term, Directive) and term.kind is Kind.PTR for term in (spf.record.terms if spf.record else ())
    )
