"""Which records might correct a finding, and whether publishing them is a matter of course.

Each standard's ``edit`` module knows how to write its corrected records; here they become changes to the zone as it is,
and it is said what speaks against pasting them unread.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from mailguard.dmarc import edit as dmarc_edit
from mailguard.dmarc.discovery import Outcome
from mailguard.dmarc.survey import DmarcSurvey
from mailguard.dmarc.walk import Node
from mailguard.dossier import Dossier
from mailguard.inquiry import RRType
from mailguard.names import DomainName
from mailguard.providers import Layer
from mailguard.remedy.fix import FixRecord, Reason
from mailguard.rules.base import Finding
from mailguard.spf import edit as spf_edit
from mailguard.spf.networks import PRIVATE
from mailguard.spf.reach import Reach
from mailguard.spf.record import parse_record
from mailguard.spf.space import space_of
from mailguard.spf.survey import SpfStatus, SpfSurvey
from mailguard.spf.terms import Directive, Kind, Qualifier
from mailguard.survey import Survey
from mailguard.zone import edit as zone_edit
from mailguard.zone.parked import is_without_mail, parked_state, rejects_everywhere, says_it_never_sends
from mailguard.zone.survey import MxStatus


@dataclass(frozen=True, slots=True)
class Proposal:
    """Records that might correct a finding. With a reason it needs a decision; without one it may be pasted."""

    records: tuple[FixRecord, ...]
    reasons: tuple[Reason, ...] = ()


MEANT_TO_LOOSEN: Final = frozenset({"DMARC023", "DMARC056"})
"""Rules whose correction is a milder policy: what ``pct=0`` once meant, and quarantine for posters to mailing lists."""


def propose(finding: Finding, dossier: Dossier) -> Iterator[Proposal]:
    """Proposals for one finding; none where nobody outside can know what to publish.

    None either for a domain that belongs to a provider: whoever has an address in it can publish nothing.
    """
    survey = dossier.survey
    if any(one.layer is Layer.OWNER for one in survey.providers):
        return
    rule_id = finding.rule.id
    usual = (_for_dmarc(rule_id, survey), _for_spf(rule_id, survey), _for_zone(rule_id, survey))
    without_mail = _without_mail(rule_id, dossier)
    for proposal in usual if without_mail is None else (without_mail,):
        if proposal is not None and any(record.before != record.after for record in proposal.records):
            yield proposal


def _without_mail(rule_id: str, dossier: Dossier) -> Proposal | None:
    """The one set of records for a domain that sends nothing, whichever finding asks: two first records confuse.

    ``None`` where the domain may send, and where what the finding is about refuses everything already.
    """
    survey, said = dossier.survey, dossier.expectation
    if not is_without_mail(survey, said):
        return None
    about_policy = rule_id.startswith("DMARC") and not (_refuses_all(survey) or survey.dmarc.own.answer.aliases)
    about_senders = rule_id.startswith("SPF") and says_it_never_sends(survey) is False and not survey.spf.txt.aliases
    if not (about_policy or about_senders):
        return None
    if parked_state(survey, said).receives is False:
        return Proposal(tuple(FixRecord(*one) for one in zone_edit.parked_records(survey)), (Reason.ASSUMES_NO_MAIL,))
    if about_senders:
        return _proposal(survey.domain, _sender_texts(survey), zone_edit.NEVER_SENDS, assumes=True)
    reads = survey.zone.mx_status in (MxStatus.HOSTS, MxStatus.IMPLICIT)
    name, _, before, (after,) = zone_edit.policy_record(
        survey, dmarc_edit.report_address(survey.domain) if reads else ""
    )
    new_address = dmarc_edit.REPORT_MAILBOX in after and not any(dmarc_edit.REPORT_MAILBOX in text for text in before)
    return _proposal(name, before, after, [Reason.REPORT_ADDRESS] * new_address, assumes=True)


def _refuses_all(survey: Survey) -> bool:
    """Receivers of either generation refuse everything, or it was not seen whether they do."""
    by_legacy = survey.dmarc.legacy.effective.domain
    return rejects_everywhere(survey) is not False and by_legacy in (Outcome.REJECT, Outcome.UNANSWERED)


_SILENT_BUT_OPEN: Final = "DMARC060"
_SILENT_BUT_LISTS: Final = "SPF041"
"""Rules about domains that send nothing: their records would stop all mail of a domain that does."""


_FIRST_ENFORCEMENT: Final = frozenset({"DMARC020", "DMARC057"})
"""Rules whose correction would stop own mail too, as long as SPF does not work."""


def _for_dmarc(rule_id: str, survey: Survey) -> Proposal | None:
    dmarc = survey.dmarc
    after = dmarc_edit.propose(rule_id, dmarc)
    if after is None:
        return None
    # An inherited record is corrected where it stands; what was meant for the domain itself belongs there.
    if rule_id in _FIRST_ENFORCEMENT and survey.spf.outcome is not SpfStatus.VALID:
        return None
    node = dmarc.nodes[dmarc_edit.place(rule_id, dmarc)]
    if node.answer.aliases and node.answer.present:
        return None  # the text is kept by somebody else, at the end of an alias
    inherited = node.domain != dmarc.domain
    counting = dmarc.record.text if dmarc.record else None
    before = node.records or (() if inherited else dmarc.near_misses)
    reasons = list(_reasons_in_texts(counting, after))
    if inherited:
        reasons.append(Reason.RECORD_OF_OTHERS)
    if dmarc_edit.REPORT_MAILBOX in after and dmarc_edit.REPORT_MAILBOX not in (counting or ""):
        if inherited or survey.zone.mx_status not in (MxStatus.HOSTS, MxStatus.IMPLICIT):
            return None  # the mailbox could never receive a report, or it was not seen whether it could
        reasons.append(Reason.REPORT_ADDRESS)
    proposal = _proposal(node.question.name, before, after, reasons, assumes=rule_id == _SILENT_BUT_OPEN)
    return replace(proposal, records=(*_without_alias(node), *proposal.records))


def _reasons_in_texts(counting: str | None, after: str) -> Iterator[Reason]:
    if dmarc_edit.tightens(counting, after):
        yield Reason.TIGHTENS_POLICY
    if counting is not None and dmarc_edit.tightens(after, counting):
        yield Reason.LOOSENS_POLICY


def _without_alias(node: Node) -> Iterator[FixRecord]:
    """The alias that has to go first: beside a CNAME no other record may stand (RFC 1034 section 3.6.2)."""
    if node.answer.aliases:
        yield FixRecord(node.question.name, RRType.CNAME, (str(node.answer.aliases[0]),), ())


def _for_spf(rule_id: str, survey: Survey) -> Proposal | None:
    after = spf_edit.propose(rule_id, survey.spf)
    if after is None or survey.spf.txt.aliases:
        return None
    return _proposal(survey.domain, _sender_texts(survey), after, assumes=rule_id == _SILENT_BUT_LISTS)


def _sender_texts(survey: Survey) -> tuple[str, ...]:
    """The SPF record, or all of them, or what was meant to be one."""
    texts = [txt.joined for txt in survey.spf.candidates] or list(survey.spf.lookalikes)
    return tuple(text.decode("utf-8", "backslashreplace") for text in texts)


def _for_zone(rule_id: str, survey: Survey) -> Proposal | None:
    records = tuple(FixRecord(*record) for record in zone_edit.propose(rule_id, survey))
    return Proposal(records, (Reason.ASSUMES_NO_MAIL,)) if records else None


def _proposal(
    name: DomainName, before: tuple[str, ...], after: str, reasons: Iterable[Reason] = (), *, assumes: bool = False
) -> Proposal:
    """One TXT record. ``assumes``: it is right only for a domain that sends no mail."""
    assumed = (Reason.ASSUMES_NO_MAIL,) if assumes else ()
    return Proposal((FixRecord(name, RRType.TXT, before, (after,)),), (*reasons, *assumed))


def reasons_in_dmarc(before: DmarcSurvey, after: DmarcSurvey) -> tuple[Reason, ...]:
    """What speaks against pasting a change unread: receivers of either generation are asked for more, or for less."""
    pairs = list(zip(_asked_of_receivers(before), _asked_of_receivers(after), strict=True))
    tighter = any(new > old for old, new in pairs)
    milder = any(new < old for old, new in pairs)
    return (Reason.TIGHTENS_POLICY,) * tighter + (Reason.LOOSENS_POLICY,) * milder


def _asked_of_receivers(dmarc: DmarcSurvey) -> Iterator[int]:
    for asked in (dmarc.effective, dmarc.legacy.effective):
        # No policy and a policy of none are the same to a receiver.
        yield from (max(each.rank, 1) for each in (asked.domain, asked.subdomain, asked.nonexistent_subdomain))


def reasons_in_spf(before: SpfSurvey, after: SpfSurvey) -> tuple[Reason, ...]:
    """What speaks against pasting a change to SPF unread, seen by comparing the domain before and after."""
    reasons = []
    # A record that ended in permerror refused nobody; with -all in force it does.
    revived = before.outcome is SpfStatus.PERMERROR and after.outcome is not SpfStatus.PERMERROR
    if _strictness(after) > _strictness(before) or (revived and after.all is Qualifier.FAIL):
        reasons.append(Reason.TIGHTENS_SPF)
    changed = before.candidates != after.candidates
    if changed and _strictness(after) < max(_published_strictness(before), default=0):
        reasons.append(Reason.LOOSENS_SPF)
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


def _published_strictness(spf: SpfSurvey) -> Iterator[int]:
    """The same for every record that is published, in force or not."""
    for record in (parse_record(txt.joined) for txt in spf.candidates):
        if record.all:
            yield _FROM_MILD_TO_STRICT.index(record.all.qualifier)


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
