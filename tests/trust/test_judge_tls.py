"""Which grade a TLS report gets: RFC 8460 wants a DKIM signature of the reporting domain, and nothing less."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.feedback.envelope import Way
from mailguard.feedback.mail import read_mail
from mailguard.feedback.report import TlsReport
from mailguard.inquiry import run
from mailguard.names import DomainName
from mailguard.trust.authenticate import authenticate
from mailguard.trust.grade import Grade, Trust
from mailguard.trust.judge import Owned
from mailguard.trust.judge_tls import judge_tls_report
from mailguard.trust.reporter import KNOWN_REPORTERS
from tests.dkim.keys import zone_txt
from tests.trust.mails import NOW, by_smtp, key_zone, received, rsa_pair, sign
from tests.zones import Zone

OWNED = Owned(frozenset({DomainName("clinic.example.jp")}), frozenset({DomainName("new.example.jp")}))
KNOWN = KNOWN_REPORTERS.learn("Reporter Inc.", DomainName("reporter.example"))
NAME = "reporter.example!clinic.example.jp!1790000000!1790086399"


def policy(domain: str = "clinic.example.jp", kind: str = "sts", failed: int = 2) -> dict[str, Any]:
    return {
        "policy": {"policy-type": kind, "policy-domain": domain},
        "summary": {"total-successful-session-count": 5, "total-failure-session-count": failed},
    }


def report_json(*policies: dict[str, Any], **facts: Any) -> dict[str, Any]:
    return {
        "organization-name": "Reporter Inc.",
        "date-range": {"start-datetime": "2026-09-21T14:13:20Z", "end-datetime": "2026-09-22T14:13:19Z"},
        "contact-info": "tls@reporter.example",
        "report-id": "t-1",
        "policies": list(policies or (policy(),)),
    } | facts


def tls_mail(report: dict[str, Any] | None = None, *, author: str = "reporter.example", name: str = NAME) -> bytes:
    return (
        f"From: TLS reports <tls@{author}>\r\nTo: tls@clinic.example.jp\r\n"
        "Subject: Report Domain: clinic.example.jp Submitter: reporter.example Report-ID: <t-1>\r\n"
        "TLS-Report-Domain: clinic.example.jp\r\nTLS-Report-Submitter: reporter.example\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type="tlsrpt"; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nA report.\r\n"
        f'--b\r\nContent-Type: application/tlsrpt+json; name="{name}.json"\r\n\r\n'
        f"{json.dumps(report or report_json())}\r\n--b--\r\n"
    ).encode()


def reports_of(raw: bytes) -> tuple[TlsReport, ...]:
    return read_mail(raw).tls_reports


def judged(raw: bytes, zone: Zone | None = None, way: Way = Way.FILE, **options: Any) -> Trust:
    hosts = options.pop("trusted_hosts", ())
    mail = by_smtp(raw, options.pop("mail_from", "bounce@reporter.example")) if way is Way.SMTP else received(raw, way)
    (report,) = reports_of(raw)
    proof = run(authenticate(mail, trusted_hosts=hosts), zone or key_zone())
    settings: dict[str, Any] = {"owned": OWNED, "now": NOW, "known": KNOWN} | options
    return judge_tls_report(report, proof, **settings)


def test_signed_by_the_reporting_domain_is_verified() -> None:
    assert judged(sign(tls_mail())) == Trust(Grade.VERIFIED, "reporter.example", ())


def test_in_a_letter_or_from_where_anybody_can_write_it_is_not_verified() -> None:
    plain = tls_mail().replace(f'application/tlsrpt+json; name="{NAME}.json"'.encode(), b"text/plain")
    trust = judged(sign(plain))
    assert (trust.grade, "not-attached" in trust.reasons) == (Grade.AUTHENTICATED, True)
    of_user = tls_mail(report_json(**{"contact-info": "somebody@gmail.com"}), author="gmail.com")
    trust = judged(sign(of_user, domain="gmail.com"), key_zone(domain="gmail.com"))
    assert (trust.grade, "shared-domain" in trust.reasons) == (Grade.AUTHENTICATED, True)


def test_signed_with_a_key_for_tls_reports_is_verified() -> None:
    zone = key_zone(record=rsa_pair()[1] + b"; s=tlsrpt")
    assert judged(sign(tls_mail()), zone) == Trust(Grade.VERIFIED, "reporter.example", ())


@pytest.mark.parametrize("key", [b"", b"; s=tlsrpt", b"; s=email"])
def test_signed_in_the_future_is_open_whatever_the_key_is_for(key: bytes) -> None:
    zone = key_zone(record=rsa_pair()[1] + key)
    assert judged(sign(tls_mail(), at=NOW + 3601), zone) == Trust(Grade.UNVERIFIED, "", ("could-not-be-checked",))


def test_signed_with_a_key_for_mail_only_is_verified_with_a_remark() -> None:
    zone = key_zone(record=rsa_pair()[1] + b"; s=email")
    assert judged(sign(tls_mail()), zone) == Trust(Grade.VERIFIED, "reporter.example", ("key-not-for-reports",))


def test_spf_proves_nothing_about_a_tls_report() -> None:
    zone = Zone.parse('reporter.example TXT "v=spf1 +all"')
    assert judged(tls_mail(), zone, Way.SMTP) == Trust(Grade.UNVERIFIED, "", ("not-signed",))


def test_the_author_may_be_anybody() -> None:
    """RFC 8460 asks for the signature of the reporting domain, and for no alignment with From."""
    assert judged(sign(tls_mail(author="mailer.example"))).grade is Grade.VERIFIED


def test_a_signature_with_a_length_does_not_count() -> None:
    assert judged(sign(tls_mail(), length=True)) == Trust(Grade.UNVERIFIED, "", ("not-signed",))


def test_a_signature_of_somebody_else_is_authenticated_only() -> None:
    raw = sign(tls_mail(), domain="esp.example")
    trust = judged(raw, key_zone(domain="esp.example"))
    assert (trust.grade, trust.domain) == (Grade.AUTHENTICATED, "esp.example")
    assert "reporter-elsewhere" in trust.reasons


def test_the_signature_of_a_mail_service_beside_it_takes_nothing_away() -> None:
    raw = sign(sign(tls_mail()), domain="esp.example")
    zone = key_zone(more=zone_txt("s1._domainkey.esp.example", rsa_pair()[1]))
    assert judged(raw, zone) == Trust(Grade.VERIFIED, "reporter.example", ())


def test_a_key_that_nobody_answers_for_leaves_the_question_open() -> None:
    zone = Zone.parse("s1._domainkey.reporter.example TXT !servfail")
    assert judged(sign(tls_mail()), zone) == Trust(Grade.UNVERIFIED, "", ("could-not-be-checked",))


def test_a_trusted_host_may_have_checked_the_signature() -> None:
    def told(method: str) -> Trust:
        raw = f"Authentication-Results: mx.clinic.example.jp; {method}\r\n".encode() + tls_mail()
        return judged(raw, Zone(), trusted_hosts=("mx.clinic.example.jp",))

    assert told("dkim=pass header.d=reporter.example") == Trust(Grade.VERIFIED, "reporter.example", ("told-by-host",))
    assert told("spf=pass smtp.mailfrom=reporter.example").grade is Grade.UNVERIFIED


SENDERS = [
    ("Reporter Inc.", "tls@mail.reporter.example", Grade.VERIFIED, None),
    ("reporter.example", "", Grade.VERIFIED, "first-seen"),
    ("Reporter Inc.", "", Grade.VERIFIED, None),  # the subject's Submitter
    ("Reporter Inc.", "https://reporter.example/contact", Grade.VERIFIED, None),
    ("google.com", "tls@reporter.example", Grade.AUTHENTICATED, "reporter-elsewhere"),
    ("Google Inc.", "noreply@google.com", Grade.AUTHENTICATED, "reporter-elsewhere"),
    ("Outlook.com", "tls@reporter.example", Grade.AUTHENTICATED, "impersonation"),
]


@pytest.mark.parametrize(("organization", "contact", "grade", "reason"), SENDERS)
def test_verified_means_that_everything_named_is_the_signers(
    organization: str, contact: str, grade: Grade, reason: str | None
) -> None:
    trust = judged(sign(tls_mail(report_json(**{"organization-name": organization, "contact-info": contact}))))
    assert trust.grade is grade
    assert reason is None or reason in trust.reasons


def days(begin: str, end: str) -> dict[str, str]:
    return {"start-datetime": f"{begin}T00:00:00Z", "end-datetime": f"{end}T00:00:00Z"}


DEMOTING: dict[str, dict[str, Any]] = {
    "foreign-domain": {"policies": [policy(), policy("other.example.jp")]},
    "ends-in-future": {"date-range": days("2026-09-22", "2026-09-24")},
    "begins-after-end": {"date-range": days("2026-09-22", "2026-09-21")},
    "span-too-long": {"date-range": days("2026-08-01", "2026-09-22")},
    "count-too-large": {"policies": [policy(failed=2**31 + 1)]},
}


@pytest.mark.parametrize("reason", DEMOTING)
def test_impossible_content_is_unverified_whoever_signed_it(reason: str) -> None:
    trust = judged(sign(tls_mail(report_json(**DEMOTING[reason]), name="report")))
    assert trust == Trust(Grade.UNVERIFIED, "reporter.example", (reason,))


def test_of_dane_the_domain_is_the_hosts() -> None:
    """RFC 8460 1.1: the host may be the mail provider's; then the subject says whom the report is about."""
    hosted = report_json(policy(), policy("mx.provider.example", "tlsa"))
    assert judged(sign(tls_mail(hosted))).grade is Grade.VERIFIED
    assert judged(sign(tls_mail(report_json(policy("mx.provider.example", "tlsa"))))).grade is Grade.VERIFIED
    elsewhere = tls_mail(report_json(policy("mx.provider.example", "tlsa")), name="report").replace(
        b"Report Domain: clinic.example.jp ", b"Report Domain: other.example.jp "
    )
    assert judged(sign(elsewhere)).reasons == ("foreign-domain",)


def test_what_is_odd_is_said() -> None:
    pending = sign(tls_mail(report_json(policy("new.example.jp"))))
    assert judged(pending) == Trust(
        Grade.VERIFIED, "reporter.example", ("pending-domain", "file-name-differs", "subject-domain-differs")
    )
    assert judged(sign(tls_mail(report_json(**{"report-id": "t-2"})))).reasons == ("report-id-differs",)
    assert judged(sign(tls_mail()), known=KNOWN_REPORTERS).reasons == ("first-seen",)


def test_the_address_of_one_domain_proves_nothing_about_another() -> None:
    to = frozenset({DomainName("new.example.jp")})
    assert judged(sign(tls_mail()), addressed_to=to) == Trust(Grade.UNVERIFIED, "reporter.example", ("other-address",))


@given(
    organization=st.text(max_size=30),
    contact=st.text(max_size=30),
    domain=st.text(min_size=1, max_size=20),
    kind=st.sampled_from(["sts", "tlsa", "", "no-policy-found"]),
    name=st.text(alphabet="!a.:", max_size=12),
)
def test_judging_never_raises_and_never_verifies_without_a_signature(
    organization: str, contact: str, domain: str, kind: str, name: str
) -> None:
    raw = tls_mail(report_json(policy(domain, kind), **{"organization-name": organization, "contact-info": contact}))
    for report in reports_of(raw):
        proof = run(authenticate(received(raw)), Zone())
        assert judge_tls_report(report, proof, owned=OWNED, now=NOW).grade is Grade.UNVERIFIED
