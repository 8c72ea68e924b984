"""Putting a corrected record on top of the evidence and looking again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from mailguard.dkim.survey import DkimStatus
from mailguard.dossier import Dossier
from mailguard.inquiry import Answer, Mx, Question, Rdata, RRType, Source, Status, Txt
from mailguard.names import name
from mailguard.remedy.fix import FixRecord, Reason, split_strings
from mailguard.remedy.propose import MEANT_TO_LOOSEN, Proposal
from mailguard.rules.base import Finding, Severity
from mailguard.spf.survey import SpfStatus
from mailguard.survey import Survey
from mailguard.verdict import Spoofable, Verdict, judge_spoofing

Look = Callable[[Source], Dossier]
"""Takes the whole survey again from a source, offline, and returns the new dossier."""

Find = Callable[[Dossier], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class View:
    """A domain as it would look: the answers, the dossier made from them, and what the rules say."""

    source: Source
    dossier: Dossier
    findings: tuple[Finding, ...]
    spoofable: Spoofable

    @property
    def survey(self) -> Survey:
        """The survey in the dossier."""
        return self.dossier.survey


def view(source: Source, look: Look, find: Find) -> View:
    """See the domain through ``source``."""
    dossier = look(source)
    return View(source, dossier, tuple(find(dossier)), judge_spoofing(dossier.survey))


def overlay(source: Source, change: FixRecord) -> Source:
    """The source as it would answer once ``change`` is published."""

    changed = Question(change.name, change.rrtype)

    def answer(question: Question) -> Answer:
        seen = source(question)
        return _changed(seen, change) if question == changed else seen

    return answer


def _changed(seen: Answer, change: FixRecord) -> Answer:
    kept = tuple(record for record in seen.records if _value(record) not in change.before)
    records = kept + tuple(_rdata(change.rrtype, value) for value in change.after)
    status = Status.DATA if records else Status.NO_DATA
    return replace(seen, status=status, records=records, aliases=(), rcode=0)


def _value(record: Rdata) -> str:
    if isinstance(record, Txt):
        return record.joined.decode("utf-8", "backslashreplace")
    if isinstance(record, Mx):
        return f"{record.preference} {record.exchange or '.'}"
    return str(record)


def _rdata(rrtype: RRType, value: str) -> Rdata:
    if rrtype is RRType.TXT:
        return Txt(tuple(part.encode() for part in split_strings(value)))
    preference, _, exchange = value.partition(" ")
    return Mx(int(preference), name(exchange))


_ORDER: Final = (Verdict.NO, Verdict.PARTLY, Verdict.YES)


def helps(before: View, after: View, finding: Finding) -> bool:
    """Whether a change does what it is for.

    The finding goes away, no verdict on page one becomes worse (nor worse than *partly*, where a milder policy is what
    the finding calls for), and whatever is newly found is less grave than what went away, or is low (a policy of none,
    say, where there was no policy at all).
    """
    if any(other.rule.id == finding.rule.id for other in after.findings):
        return False
    milder = finding.rule.id in MEANT_TO_LOOSEN
    bearable = min(finding.rule.severity.rank + (not milder), Severity.LOW.rank)
    known = {(other.rule.id, other.at) for other in before.findings}
    fresh = [other for other in after.findings if (other.rule.id, other.at) not in known]
    if any(other.rule.severity.rank < bearable for other in fresh):
        return False
    return not _is_worse(before.spoofable, after.spoofable, Verdict.PARTLY if milder else Verdict.NO)


def _is_worse(before: Spoofable, after: Spoofable, allowed: Verdict) -> bool:
    pairs = (
        (before.domain, after.domain),
        (before.subdomain, after.subdomain),
        (before.nonexistent_subdomain, after.nonexistent_subdomain),
    )
    return any(_harm(new) > max(_harm(old), _harm(allowed)) for old, new in pairs)


def _harm(verdict: Verdict) -> int:
    return len(_ORDER) if verdict is Verdict.UNKNOWN else _ORDER.index(verdict)


def rests_on_unseen(proposal: Proposal, reasons: tuple[Reason, ...], after: Survey) -> bool:
    """Whether what a change does depends on something that was not answered: then it is not proposed.

    A new SPF record has to be seen down to its last include. A stricter policy may be advised only where it was seen
    what would pass, unless the domain is taken for one that sends nothing.
    """
    unseen_spf = after.spf.outcome is SpfStatus.UNANSWERED
    if unseen_spf and any(record.name == after.domain and record.rrtype is RRType.TXT for record in proposal.records):
        return True
    tightens = Reason.TIGHTENS_POLICY in reasons and Reason.ASSUMES_NO_MAIL not in reasons
    return tightens and (unseen_spf or after.dkim.status is DkimStatus.UNANSWERED)
