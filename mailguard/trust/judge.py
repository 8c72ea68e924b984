"""``judge_report``: how much one report is to be believed.

A report starts with what is proved about its mail: *verified* if the mail passes DMARC and everything that the report
says about its sender fits, *authenticated* if some domain is proved, else *unverified*. Then its content is weighed:
what no honest reporter sends (another's domain, the future, more than a month, impossible counts, to an address that
was made for another domain) makes it *unverified* whoever sent it; what is merely odd is a reason beside the grade.

``judge_tls`` and ``judge_failure`` do the same for the other kinds of reports, whose standards ask for other proof.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from mailguard.feedback.report import AggregateReport
from mailguard.names import ROOT, DomainName
from mailguard.trust.grade import Grade, Trust
from mailguard.trust.head import Subject, domain_in
from mailguard.trust.proof import Authentication, Outcome
from mailguard.trust.reporter import KNOWN_REPORTERS, Claims, Registry, claims_of
from mailguard.trust.shared import may_be_others

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
    NOT_SIGNED = "not-signed"  # a TLS report without a DKIM signature that counts (RFC 8460 3)
    NOT_ALIGNED = "not-aligned"  # something is proved, but not that the author sent the mail
    COULD_NOT_BE_CHECKED = "could-not-be-checked"  # an answer is missing, or a clock wrong; trying again may help
    NO_REPORTER = "no-reporter"  # neither report nor subject names a domain to compare with
    REPORTER_ELSEWHERE = "reporter-elsewhere"  # the report names another organization than sent it
    IMPERSONATION = "impersonation"  # it uses the name of a well-known reporter and comes from elsewhere
    NOT_ATTACHED = "not-attached"  # it stands in a letter or in another mail, which may be what others wrote
    SHARED_DOMAIN = "shared-domain"  # strangers can write from the sender's domain, and reports come from elsewhere
    # what makes any report unverified
    FOREIGN_DOMAIN = "foreign-domain"  # about a domain that is not ours
    OTHER_ADDRESS = "other-address"  # sent to the report address of another of our domains
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
    KEY_NOT_FOR_REPORTS = "key-not-for-reports"  # a TLS report signed with a key for mail only (RFC 8460 3: s=tlsrpt)


CERTAIN: Final = frozenset(
    {
        *(Reason.IMPERSONATION, Reason.NOT_ATTACHED, Reason.SHARED_DOMAIN, Reason.FOREIGN_DOMAIN, Reason.OTHER_ADDRESS),
        *(Reason.ENDS_IN_FUTURE, Reason.BEGINS_AFTER_END, Reason.SPAN_TOO_LONG, Reason.COUNT_TOO_LARGE),
    }
)
"""Reasons that speak against a report whatever DNS would answer."""


@dataclass(frozen=True, slots=True)
class Owned:
    """The domains that reports may be about: ours, and those that are not confirmed yet. Names below them count."""

    domains: frozenset[DomainName]
    pending: frozenset[DomainName] = frozenset()

    def has(self, domain: DomainName) -> bool:
        """Whether a report may be about this domain."""
        return is_among(domain, self.domains) or is_among(domain, self.pending)

    def awaits(self, domain: DomainName) -> bool:
        """Whether this domain is not confirmed as ours yet."""
        return not is_among(domain, self.domains) and is_among(domain, self.pending)


def judge_report(
    report: AggregateReport,
    authentication: Authentication,
    *,
    owned: Owned,
    now: int,
    known: Registry = KNOWN_REPORTERS,
    file_name: str = "",
    addressed_to: Collection[DomainName] = (),
) -> Trust:
    """How much a report is to be believed. Pure; never raises.

    Args:
        now: POSIX seconds, usually when the mail was received.
        file_name: of the file that the report was in, where it is known; ``archive: file`` for one in an archive.
        addressed_to: the domains that the mail's recipients were made for (``token``); empty where that is not known.

    Returns:
        The grade; ``domain`` is the author domain for a verified report, else the first domain that is proved, also
        where the content made the report unverified. Reasons in the order of ``Reason``.
    """
    claims = claims_of(report, authentication.subject.submitter)
    grade, why = _grade_of_sender(report, authentication, claims, known)
    about = DomainName(report.policy.domain)
    counts = (record.count for record in report.records)
    impossible = [
        *([] if owned.has(about) else [Reason.FOREIGN_DOMAIN]),
        *([] if is_addressed(about, addressed_to) else [Reason.OTHER_ADDRESS]),
        *impossible_facts(report.begin, report.end, counts, now),
    ]
    odd = [
        *_odd_content(report, authentication, owned, file_name),
        *_odd_sender(report, authentication, claims, known),
    ]
    if impossible:
        grade = Grade.UNVERIFIED
    domain = next(iter(authentication.proved), ROOT)
    return Trust(grade, str(domain), in_order((*why, *impossible, *odd)))


def in_order(found: Iterable[Reason]) -> tuple[str, ...]:
    """The reasons as a ``Trust`` has them: each once, in the order of ``Reason``."""
    wanted = frozenset(found)
    return tuple(reason.value for reason in Reason if reason in wanted)


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
    # A bounce or a notification is signed by whoever sends it, and holds what a stranger wrote.
    if report.quoted:
        return Reason.NOT_ATTACHED
    if may_be_others(authentication.author, authentication.author_address):
        return Reason.SHARED_DOMAIN
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


def is_among(domain: DomainName, domains: Iterable[DomainName]) -> bool:
    """Whether a domain is one of these, or below one."""
    return any(domain.is_within(ours) for ours in domains if ours)


def is_addressed(about: DomainName, addressed_to: Collection[DomainName]) -> bool:
    """Whether a report came to an address of the domain that it is about, as far as addresses tell.

    The address of a domain stands in that domain's record. It stands for the names below it too, which often publish
    the same record, and for no other domain: who writes to A about B has not read B's record.
    """
    return not addressed_to or is_among(about, addressed_to)


def impossible_facts(begin: int, end: int, counts: Iterable[int], now: int) -> Iterator[Reason]:
    """What no honest reporter writes. Times are POSIX seconds."""
    if end > now + MAX_SKEW_S:
        yield Reason.ENDS_IN_FUTURE
    if begin > end:
        yield Reason.BEGINS_AFTER_END
    if end - begin > MAX_SPAN_S:
        yield Reason.SPAN_TOO_LONG
    if any(count > MAX_COUNT for count in counts):
        yield Reason.COUNT_TOO_LARGE


def _odd_content(
    report: AggregateReport, authentication: Authentication, owned: Owned, file_name: str
) -> Iterator[Reason]:
    subject = authentication.subject
    domain = DomainName(report.policy.domain)
    if owned.awaits(domain):
        yield Reason.PENDING_DOMAIN
    yield from odd_facts(report.begin, report.end, report.report_id, subject)
    if subject.domain and subject.domain != domain:
        yield Reason.SUBJECT_DOMAIN_DIFFERS
    if file_name_differs(file_name, (report.policy.domain,), report.begin, report.end):
        yield Reason.FILE_NAME_DIFFERS


def odd_facts(begin: int, end: int, report_id: str, subject: Subject) -> Iterator[Reason]:
    """What is unusual about a report of any kind."""
    if USUAL_SPAN_S < end - begin <= MAX_SPAN_S:
        yield Reason.SPAN_UNUSUAL
    if subject.report_id and subject.report_id != report_id.strip("<> "):
        yield Reason.REPORT_ID_DIFFERS


def file_name_differs(file_name: str, domains: Collection[str], begin: int, end: int) -> bool:
    """Whether a name says another domain or period. That of an archive counts, and that of the file in it.

    ``receiver!policy-domain!begin!end[!unique-id].extension`` (RFC 9990 3.5.2); any other form says nothing.
    """
    said = (_said_by(name) for name in file_name.split(": "))
    fitting = [(domain, str(begin), str(end)) for domain in domains]
    return any(one not in fitting for one in said if one)


def _said_by(name: str) -> tuple[str, str, str] | None:
    _, *rest = name.rpartition("/")[2].split("!")
    if len(rest) not in (3, 4):
        return None
    return str(domain_in(rest[0])), rest[1], rest[2].partition(".")[0]


def _odd_sender(
    report: AggregateReport, authentication: Authentication, claims: Claims, known: Registry
) -> Iterator[Reason]:
    if authentication.dmarc is not Outcome.PASS:
        return
    if claims.submitter and not _is_of_author(claims.submitter, authentication):
        yield Reason.SUBMITTER_DIFFERS
    yield from odd_name(report.org_name, authentication.author, known)
    if authentication.aligned == ("host",):
        yield Reason.TOLD_BY_HOST
    yield from _odd_signatures(authentication)


def odd_name(org_name: str, domain: DomainName, known: Registry) -> Iterator[Reason]:
    """Whether somebody new uses a name."""
    seen = known.has_seen(org_name)
    if domain not in seen:
        yield Reason.OTHER_DOMAIN if seen else Reason.FIRST_SEEN


def _odd_signatures(authentication: Authentication) -> Iterator[Reason]:
    """What is odd about all signatures that passed; one without a remark is enough."""
    passed = [signature for signature in authentication.signatures if signature.outcome is Outcome.PASS]
    if passed and all(signature.remarks for signature in passed):
        yield from (Reason(remark.value) for remark in passed[0].remarks)
