"""``judge_failure_report``: how much a failure report is to be believed.

RFC 9991 section 5.1 only recommends that its mail pass DMARC. One that does, and names a reporting server of the
author's organization, is *verified*. Whatever its grade, nothing is counted from failure reports (section 8.1).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from mailguard.feedback.report import FailureReport
from mailguard.names import ROOT, DomainName
from mailguard.trust.grade import Grade, Trust
from mailguard.trust.head import domain_in
from mailguard.trust.judge import MAX_SKEW_S, Owned, Reason, in_order, is_addressed
from mailguard.trust.proof import Authentication, Outcome


def judge_failure_report(
    report: FailureReport,
    authentication: Authentication,
    *,
    owned: Owned,
    now: int,
    addressed_to: Collection[DomainName] = (),
) -> Trust:
    """How much a failure report is to be believed. Pure; never raises. Arguments as for ``judge_report``."""
    grade, why = _grade_of_sender(report, authentication)
    about = DomainName(report.reported_domain)
    impossible = list(_impossible(report, owned, about, now, addressed_to))
    odd = [Reason.PENDING_DOMAIN] if owned.awaits(about) else []
    domain = next(iter(authentication.proved), ROOT)
    return Trust(Grade.UNVERIFIED if impossible else grade, str(domain), in_order((*why, *impossible, *odd)))


def _grade_of_sender(report: FailureReport, authentication: Authentication) -> tuple[Grade, list[Reason]]:
    if authentication.dmarc is not Outcome.PASS:
        proved = bool(authentication.proved)
        why = Reason.NOT_ALIGNED if proved else Reason.NOT_AUTHENTICATED
        if authentication.unchecked:
            why = Reason.COULD_NOT_BE_CHECKED
        return (Grade.AUTHENTICATED if proved else Grade.UNVERIFIED), [why]
    reporter = domain_in(report.reporting_mta)
    if not reporter:
        return Grade.AUTHENTICATED, [Reason.NO_REPORTER]
    if not reporter.is_within(authentication.organization or authentication.author):
        return Grade.AUTHENTICATED, [Reason.REPORTER_ELSEWHERE]
    return Grade.VERIFIED, []


def _impossible(
    report: FailureReport, owned: Owned, about: DomainName, now: int, addressed_to: Collection[DomainName]
) -> Iterator[Reason]:
    if not owned.has(about):
        yield Reason.FOREIGN_DOMAIN
    if not is_addressed(about, addressed_to):
        yield Reason.OTHER_ADDRESS
    if report.arrival is not None and report.arrival > now + MAX_SKEW_S:
        yield Reason.ENDS_IN_FUTURE
