"""``judge_report``: how much one report is to be believed.

A report starts with what is proved about its mail: *verified* if the mail passes DMARC and everything that the report
says about its sender fits, *authenticated* if some domain is proved, else *unverified*. Then its content is weighed:
what no honest reporter sends (another's domain, the future, more than a month, impossible counts) makes it
*unverified* whoever sent it; what is merely odd is a reason beside the grade.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from mailguard.feedback.report import AggregateReport
from mailguard.names import ROOT, DomainName
from mailguard.trust.grade import Grade, Trust
from mailguard.trust.head import domain_in
from mailguard.trust.proof import Authentication, Outcome
from mailguard.trust.reporter import KNOWN_REPORTERS, Claims, Registry, claims_of

DAY_S: Final = 86_400

MAX_SKEW_S: Final = DAY_S
"""How far in the future a report may end: clocks and time zones are wrong by less."""

MAX_SPAN_S: Final = 31 * DAY_S

USUAL_SPAN_S: Final = 2 * DAY_S

MAX_COUNT: Final = 2**31
"""Messages in one record; no receiver counts more in a month from one source to one hospital."""


class Reason(StrEnum):
    """Why a report has its grade, and what is odd about it."""

    # why not verified
    NOT_AUTHENTICATED = "not-authenticated"  # nothing at all is proved about the mail
    NOT_ALIGNED = "not-aligned"  # something is proved, but not that the author sent the mail
    COULD_NOT_BE_CHECKED = "could-not-be-checked"  # an answer is missing; trying again may help
    NO_REPORTER = "no-reporter"  # neither report nor subject names a domain to compare with
    REPORTER_ELSEWHERE = "reporter-elsewhere"  # the report names another organization than sent it
    IMPERSONATION = "impersonation"  # it uses the name of a well-known reporter and comes from elsewhere
    # what makes any report unverified
    FOREIGN_DOMAIN = "foreign-domain"  # about a domain that is not ours
    ENDS_IN_FUTURE = "ends-in-future"
    BEGINS_AFTER_END = "begins-after-end"
    SPAN_TOO_LONG = "span-too-long"  # more than 31 days
    COUNT_TOO_LARGE = "count-too-large"
    # what is only odd
    PENDING_DOMAIN = "pending-domain"  # about a domain that is not confirmed as ours yet
    SPAN_UNUSUAL = "span-unusual"  # more than two days
    REPORT_ID_DIFFERS = "report-id-differs"  # RFC 9990 3.1.4: subject and report
    FILE_NAME_DIFFERS = "file-name-differs"  # RFC 9990 3.5.2: file name and report
    SUBJECT_DOMAIN_DIFFERS = "subject-domain-differs"
    SUBMITTER_DIFFERS = "submitter-differs"
    FIRST_SEEN = "first-seen"  # nobody has reported under this name and domain before
    OTHER_DOMAIN = "other-domain"  # the name is known from other domains
    TOLD_BY_HOST = "told-by-host"  # not checked by us: a trusted mail server says so
    SIGNED_LENGTH = "signed-length"
    CONTENT_TYPE_UNSIGNED = "content-type-unsigned"
    TESTING_KEY = "testing-key"
    EXPIRED_SINCE = "expired-since"


@dataclass(frozen=True, slots=True)
class Owned:
    """The domains that reports may be about: ours, and those that are not confirmed yet. Names below them count."""

    domains: frozenset[DomainName]
    pending: frozenset[DomainName] = frozenset()


def judge_report(
    report: AggregateReport,
    authentication: Authentication,
    *,
    owned: Owned,
    now: int,
    known: Registry = KNOWN_REPORTERS,
    file_name: str = "",
) -> Trust:
    """How much a report is to be believed. Pure; never raises.

    Args:
        now: POSIX seconds, usually when the mail was received.
        file_name: of the file that the report was in, where it is known.

    Returns:
        The grade; ``domain`` is the author domain for a verified report, else the first domain that is proved, also
        where the content made the report unverified. Reasons in the order of ``Reason``.
    """
    claims = claims_of(report, authentication.subject.submitter)
    grade, why = _grade_of_sender(report, authentication, claims, known)
    impossible = [reason for reason in (_foreign(report, owned), *_impossible(report, now)) if reason]
    odd = [
        *_odd_content(report, authentication, owned, file_name),
        *_odd_sender(report, authentication, claims, known),
    ]
    if impossible:
        grade = Grade.UNVERIFIED
    domain = next(iter(authentication.proved), ROOT)
    found = {*why, *impossible, *odd}
    return Trust(grade, str(domain), tuple(reason.value for reason in Reason if reason in found))


def _grade_of_sender(
    report: AggregateReport, authentication: Authentication, claims: Claims, known: Registry
) -> tuple[Grade, list[Reason]]:
    if authentication.dmarc is not Outcome.PASS:
        proved = bool(authentication.proved)
        why = Reason.NOT_ALIGNED if proved else Reason.NOT_AUTHENTICATED
        if authentication.unchecked:
            why = Reason.COULD_NOT_BE_CHECKED
        return (Grade.AUTHENTICATED if proved else Grade.UNVERIFIED), [why]
    reason = _doubt(report, authentication, claims, known)
    return (Grade.AUTHENTICATED, [reason]) if reason else (Grade.VERIFIED, [])


def _doubt(report: AggregateReport, authentication: Authentication, claims: Claims, known: Registry) -> Reason | None:
    """Why the author of the mail is not the reporter, though the mail is the author's."""
    vouched = known.vouches(report.org_name, authentication.author)
    if vouched is not None:
        return None if vouched else Reason.IMPERSONATION
    # Every domain that the report names has to be the author's: one that fits does not outweigh one that does not.
    named = claims.inside or ((claims.submitter,) if claims.submitter else ())
    if not named:
        return Reason.NO_REPORTER
    fits = all(_is_of_author(domain, authentication) for domain in named)
    return None if fits else Reason.REPORTER_ELSEWHERE


def _is_of_author(domain: DomainName, authentication: Authentication) -> bool:
    return domain.is_within(authentication.organization or authentication.author)


def _foreign(report: AggregateReport, owned: Owned) -> Reason | None:
    domain = DomainName(report.policy.domain)
    return None if _is_among(domain, owned.domains) or _is_among(domain, owned.pending) else Reason.FOREIGN_DOMAIN


def _is_among(domain: DomainName, domains: Iterable[DomainName]) -> bool:
    return any(domain.is_within(ours) for ours in domains if ours)


def _impossible(report: AggregateReport, now: int) -> Iterator[Reason]:
    if report.end > now + MAX_SKEW_S:
        yield Reason.ENDS_IN_FUTURE
    if report.begin > report.end:
        yield Reason.BEGINS_AFTER_END
    if report.end - report.begin > MAX_SPAN_S:
        yield Reason.SPAN_TOO_LONG
    if any(record.count > MAX_COUNT for record in report.records):
        yield Reason.COUNT_TOO_LARGE


def _odd_content(
    report: AggregateReport, authentication: Authentication, owned: Owned, file_name: str
) -> Iterator[Reason]:
    subject = authentication.subject
    domain = DomainName(report.policy.domain)
    if not _is_among(domain, owned.domains) and _is_among(domain, owned.pending):
        yield Reason.PENDING_DOMAIN
    if USUAL_SPAN_S < report.end - report.begin <= MAX_SPAN_S:
        yield Reason.SPAN_UNUSUAL
    if subject.report_id and subject.report_id != report.report_id.strip("<> "):
        yield Reason.REPORT_ID_DIFFERS
    if subject.domain and subject.domain != domain:
        yield Reason.SUBJECT_DOMAIN_DIFFERS
    if _file_name_differs(report, file_name):
        yield Reason.FILE_NAME_DIFFERS


def _file_name_differs(report: AggregateReport, file_name: str) -> bool:
    """``receiver!policy-domain!begin!end[!unique-id].extension``; any other form says nothing."""
    _, *rest = file_name.rpartition("/")[2].split("!")
    if len(rest) not in (3, 4):
        return False
    rest[-1] = rest[-1].partition(".")[0]
    said = (str(domain_in(rest[0])), *rest[1:3])
    return said != (report.policy.domain, str(report.begin), str(report.end))


def _odd_sender(
    report: AggregateReport, authentication: Authentication, claims: Claims, known: Registry
) -> Iterator[Reason]:
    if authentication.dmarc is not Outcome.PASS:
        return
    if claims.submitter and not _is_of_author(claims.submitter, authentication):
        yield Reason.SUBMITTER_DIFFERS
    seen = known.has_seen(report.org_name)
    if authentication.author not in seen:
        yield Reason.OTHER_DOMAIN if seen else Reason.FIRST_SEEN
    if authentication.aligned == ("host",):
        yield Reason.TOLD_BY_HOST
    yield from _odd_signatures(authentication)


def _odd_signatures(authentication: Authentication) -> Iterator[Reason]:
    """What is odd about all signatures that passed; one without a remark is enough."""
    passed = [signature for signature in authentication.signatures if signature.outcome is Outcome.PASS]
    if passed and all(signature.remarks for signature in passed):
        yield from (Reason(remark.value) for remark in passed[0].remarks)
