"""``judge_tls_report``: how much a TLS report is to be believed.

RFC 8460 section 3 asks for something else than RFC 9990: the mail must be signed with DKIM *by the reporting domain*,
over its whole body (``l=`` must not be there), and a report without such a signature must be ignored. SPF proves
nothing here, and From may be anybody's. The key should be for reports (``s=tlsrpt``). A key that is for them only
proves nothing about other mail (RFC 6376 3.6.1), and counts here. One that is for mail only may be ignored: we count
it and say so, for the domain is proved all the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from mailguard.dkim.key import parse_key
from mailguard.feedback.report import TlsPolicy, TlsReport
from mailguard.names import ROOT, DomainName
from mailguard.trust.grade import Grade, Trust
from mailguard.trust.judge import (
    Owned,
    Reason,
    file_name_differs,
    impossible_facts,
    in_order,
    is_addressed,
    odd_facts,
    odd_name,
)
from mailguard.trust.proof import Authentication, Outcome, Signature, SignatureFault, SignatureRemark
from mailguard.trust.reporter import KNOWN_REPORTERS, Claims, Registry, claims_in
from mailguard.trust.shared import may_be_others
from mailguard.trust.signature import TLS_REPORTS

_NOT_ABOUT_A_RECIPIENT = "tlsa"
"""RFC 8460 1.1: of DANE, the policy domain is the host's (RFC 7672 2.2.3), and that may be the mail provider's."""


def judge_tls_report(
    report: TlsReport,
    authentication: Authentication,
    *,
    owned: Owned,
    now: int,
    known: Registry = KNOWN_REPORTERS,
    addressed_to: Collection[DomainName] = (),
) -> Trust:
    """How much a TLS report is to be believed. Pure; never raises. Arguments as for ``judge_report``.

    Returns:
        *Verified* if the domain that signed is everything that the report says of its sender, *authenticated* if some
        domain signed, else *unverified*. ``domain`` is the one that signed.
    """
    signers = tuple(dict.fromkeys(_signers(authentication)))
    claims = claims_in(report.contact, report.organization, authentication.subject.submitter)
    grade, domain, why = _grade_of_sender(report, authentication, signers, claims, known)
    about = _domains_of(report, authentication)
    counts = (count for policy in report.policies for count in (policy.successful, policy.failed) if count is not None)
    impossible = [
        *([] if about and all(map(owned.has, about)) else [Reason.FOREIGN_DOMAIN]),
        *([] if all(is_addressed(one, addressed_to) for one in about) else [Reason.OTHER_ADDRESS]),
        *impossible_facts(report.begin, report.end, counts, now),
    ]
    odd = [
        *_odd_content(report, authentication, owned, about),
        *(_odd_sender(report, authentication, domain, claims, known) if domain else ()),
    ]
    return Trust(
        Grade.UNVERIFIED if impossible else grade,
        str(domain),
        in_order(reason for reason in (why, *impossible, *odd) if reason),
    )


def _signers(authentication: Authentication) -> Iterator[DomainName]:
    """Domains that are proved to have signed the mail as RFC 8460 wants it."""
    yield from (signature.domain for signature in authentication.signatures if _counts(signature))
    yield from (claim.domain for claim in authentication.attested if claim.method == "dkim")


def _counts(signature: Signature) -> bool:
    right = signature.outcome is Outcome.PASS or signature.fault is SignatureFault.KEY_FOR_TLS_REPORTS
    # RFC 8460 3: DKIM signatures MUST NOT use l=.
    return right and SignatureRemark.LENGTH not in signature.remarks


def _grade_of_sender(
    report: TlsReport,
    authentication: Authentication,
    signers: tuple[DomainName, ...],
    claims: Claims,
    known: Registry,
) -> tuple[Grade, DomainName, Reason | None]:
    if not signers:
        waiting = any(signature.outcome is Outcome.UNCHECKED for signature in authentication.signatures)
        return Grade.UNVERIFIED, ROOT, Reason.COULD_NOT_BE_CHECKED if waiting else Reason.NOT_SIGNED
    doubts = {signer: _doubt(report, authentication, signer, claims, known) for signer in signers}
    # A mail may bear the signature of a mail service beside that of the reporter.
    for signer, doubt in doubts.items():
        if doubt is None:
            return Grade.VERIFIED, signer, None
    return Grade.AUTHENTICATED, signers[0], doubts[signers[0]]


def _doubt(
    report: TlsReport, authentication: Authentication, signer: DomainName, claims: Claims, known: Registry
) -> Reason | None:
    """Why the one who signed is not the reporter."""
    if report.quoted:
        return Reason.NOT_ATTACHED
    # Services sign what their users write; RFC 8460 does not ask whom From names, but here it tells the two apart.
    if signer.is_within(authentication.author) and may_be_others(authentication.author, authentication.author_address):
        return Reason.SHARED_DOMAIN
    vouched = known.vouches(report.organization, signer)
    if vouched is not None:
        return None if vouched else Reason.IMPERSONATION
    named = claims.inside or ((claims.submitter,) if claims.submitter else ())
    if not named:
        return Reason.NO_REPORTER
    fits = all(_is_of(domain, signer, authentication) for domain in named)
    return None if fits else Reason.REPORTER_ELSEWHERE


def _is_of(domain: DomainName, signer: DomainName, authentication: Authentication) -> bool:
    """Whether a name is of the signer's organization, which is known where it is the author's too."""
    organization = authentication.organization
    return domain.is_within(organization if organization and signer.is_within(organization) else signer)


def _domains_of(report: TlsReport, authentication: Authentication) -> tuple[DomainName, ...]:
    """The domains that a report is about: those of its policies, or that of the subject where only hosts are named."""
    told = dict.fromkeys(DomainName(policy.domain) for policy in report.policies if not _is_of_host(policy))
    hosts = dict.fromkeys(DomainName(policy.domain) for policy in report.policies if _is_of_host(policy))
    if told:
        return tuple(told)
    return (authentication.subject.domain,) if authentication.subject.domain else tuple(hosts)


def _is_of_host(policy: TlsPolicy) -> bool:
    return policy.type == _NOT_ABOUT_A_RECIPIENT


def _odd_content(
    report: TlsReport, authentication: Authentication, owned: Owned, about: Collection[DomainName]
) -> Iterator[Reason]:
    if any(map(owned.awaits, about)):
        yield Reason.PENDING_DOMAIN
    yield from odd_facts(report.begin, report.end, report.report_id, authentication.subject)
    if authentication.subject.domain and authentication.subject.domain not in about:
        yield Reason.SUBJECT_DOMAIN_DIFFERS
    # RFC 8460 5.1: named as aggregate reports are.
    if file_name_differs(report.place, about, report.begin, report.end):
        yield Reason.FILE_NAME_DIFFERS


def _odd_sender(
    report: TlsReport, authentication: Authentication, signer: DomainName, claims: Claims, known: Registry
) -> Iterator[Reason]:
    if claims.submitter and not _is_of(claims.submitter, signer, authentication):
        yield Reason.SUBMITTER_DIFFERS
    yield from odd_name(report.organization, signer, known)
    signatures = [one for one in authentication.signatures if one.domain == signer and _counts(one)]
    if not signatures:
        yield Reason.TOLD_BY_HOST
        return
    if all(signature.remarks for signature in signatures):
        yield from (Reason(remark.value) for remark in signatures[0].remarks)
    if not any({"*", TLS_REPORTS} & {*parse_key((one.key.encode(),)).services} for one in signatures):
        yield Reason.KEY_NOT_FOR_REPORTS
