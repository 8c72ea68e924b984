"""Which grade a report gets: who must have sent it, and what no honest report says."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailguard.feedback.envelope import Way
from mailguard.feedback.limits import DEFAULT_LIMITS
from mailguard.feedback.mail import read_mail
from mailguard.feedback.report import AggregateReport
from mailguard.inquiry import run
from mailguard.names import DomainName
from mailguard.spf.verdict import Result
from mailguard.trust.assess import assess
from mailguard.trust.authenticate import authenticate
from mailguard.trust.grade import Grade, Trust
from mailguard.trust.head import Subject
from mailguard.trust.judge import DAY_S, MAX_COUNT, Owned, Reason, judge_report
from mailguard.trust.proof import (
    Attested,
    Authentication,
    Outcome,
    Signature,
    SignatureRemark,
    SpfCheck,
)
from mailguard.trust.reporter import KNOWN_REPORTERS, Registry
from tests.feedback.mails import gzipped_mail, mail
from tests.feedback.mails import report as report_xml
from tests.trust.mails import NOW, by_smtp, key_zone, received, sign
from tests.zones import Zone

OURS = DomainName("clinic.example.jp")
OWNED = Owned(frozenset({OURS}), frozenset({DomainName("new.example.jp")}))
REPORTER = DomainName("reporter.example")


def sent_by(author: str = "reporter.example", **facts: Any) -> Authentication:
    domain = DomainName(author)
    signature = Signature(domain, "s1", "rsa-sha256", Outcome.PASS)
    base = Authentication(domain, "", domain, signatures=(signature,), dmarc=Outcome.PASS, aligned=("dkim",))
    return replace(base, **facts)


NOBODY = Authentication(REPORTER, organization=REPORTER)
SOMEBODY = Authentication(
    REPORTER, organization=REPORTER, spf=SpfCheck(DomainName("esp.example"), "mailfrom", Result.PASS)
)


def some_report(**facts: Any) -> AggregateReport:
    (report,) = read_mail(gzipped_mail(report_xml())).reports
    policy = facts.pop("policy_domain", None)
    if policy is not None:
        facts["policy"] = replace(report.policy, domain=policy)
    return replace(report, **facts)


def judge(report: AggregateReport | None = None, proof: Authentication | None = None, **more: Any) -> Trust:
    options: dict[str, Any] = {
        "owned": OWNED,
        "now": NOW,
        "known": KNOWN_REPORTERS.learn("reporter.example", REPORTER),
    } | more
    return judge_report(report or some_report(), proof or sent_by(), **options)


def test_an_ordinary_report_is_verified_without_remarks() -> None:
    assert judge() == Trust(Grade.VERIFIED, "reporter.example", ())


def test_what_proves_nothing_is_unverified() -> None:
    assert judge(proof=NOBODY) == Trust(Grade.UNVERIFIED, "", ("not-authenticated",))


def test_a_pass_that_is_not_the_authors_is_authenticated_only() -> None:
    assert judge(proof=SOMEBODY) == Trust(Grade.AUTHENTICATED, "esp.example", ("not-aligned",))


def test_what_could_not_be_checked_says_so() -> None:
    open_question = replace(NOBODY, dmarc=Outcome.UNCHECKED)
    assert judge(proof=open_question) == Trust(Grade.UNVERIFIED, "", ("could-not-be-checked",))


# org_name | email | Submitter | author (its own organization) | grade, reason
SENDERS = [
    ("reporter.example", "dmarc@reporter.example", "reporter.example", "reporter.example", Grade.VERIFIED, None),
    ("Reporter Inc.", "dmarc@reporter.example", "", "reporter.example", Grade.VERIFIED, None),
    ("Reporter Inc.", "<dmarc@mail.reporter.example>", "", "reporter.example", Grade.VERIFIED, None),
    ("Reporter Inc.", "", "reporter.example", "reporter.example", Grade.VERIFIED, None),
    ("reporter.example", "", "", "reporter.example", Grade.VERIFIED, None),
    ("Reporter Inc.", "dmarc@reporter.example", "relay.example", "reporter.example", Grade.VERIFIED, None),
    ("Outlook.com", "dmarcreport@microsoft.com", "protection.outlook.com", "microsoft.com", Grade.VERIFIED, None),
    ("xs4all.nl", "noreply@dmarc-reports.xs4all.net", "", "dmarc-reports.xs4all.net", Grade.VERIFIED, None),
    ("Reporter Inc.", "", "", "reporter.example", Grade.AUTHENTICATED, "no-reporter"),
    ("google.com", "noreply@google.com", "google.com", "evil.example", Grade.AUTHENTICATED, "reporter-elsewhere"),
    ("google.com", "x@evil.example", "evil.example", "evil.example", Grade.AUTHENTICATED, "reporter-elsewhere"),
    ("Google", "noreply@google.com", "evil.example", "evil.example", Grade.AUTHENTICATED, "reporter-elsewhere"),
    ("google.com.", "x@evil.example", "", "evil.example", Grade.AUTHENTICATED, "reporter-elsewhere"),
    ("google．com", "x@evil.example", "", "evil.example", Grade.AUTHENTICATED, "reporter-elsewhere"),
    ("", "x@evilreporter.example", "", "reporter.example", Grade.AUTHENTICATED, "reporter-elsewhere"),
    ("", "x@example", "", "reporter.example", Grade.AUTHENTICATED, "no-reporter"),
    ("Outlook.com", "x@evil.example", "", "evil.example", Grade.AUTHENTICATED, "impersonation"),
    ("YAHOO!  Inc.", "x@evil.example", "", "evil.example", Grade.AUTHENTICATED, "impersonation"),
]


@pytest.mark.parametrize(("org_name", "email", "submitter", "author", "grade", "reason"), SENDERS)
def test_verified_means_that_everything_named_is_the_authors(
    org_name: str, email: str, submitter: str, author: str, grade: Grade, reason: str | None
) -> None:
    report = some_report(org_name=org_name, email=email)
    proof = sent_by(author, subject=Subject(submitter=submitter), author_address=email.strip("<>"))
    trust = judge(report, proof)
    assert (trust.grade, trust.domain) == (grade, author)
    assert reason is None or reason in trust.reasons


# What no honest reporter sends makes a report unverified, however well it is signed.
DEMOTING: dict[str, dict[str, Any]] = {
    "foreign-domain": {"policy_domain": "other.example.jp"},
    "ends-in-future": {"begin": NOW, "end": NOW + DAY_S + 1},
    "begins-after-end": {"begin": NOW, "end": NOW - 1},
    "span-too-long": {"begin": NOW - 31 * DAY_S - 1, "end": NOW},
}


@pytest.mark.parametrize("reason", DEMOTING)
def test_impossible_content_is_unverified_whoever_sent_it(reason: str) -> None:
    assert judge(some_report(**DEMOTING[reason])) == Trust(Grade.UNVERIFIED, "reporter.example", (reason,))


def test_impossible_counts() -> None:
    report = some_report()
    (record,) = report.records
    assert judge(replace(report, records=(record._replace(count=MAX_COUNT),))).grade is Grade.VERIFIED
    trust = judge(replace(report, records=(record, record._replace(count=MAX_COUNT + 1))))
    assert (trust.grade, trust.reasons) == (Grade.UNVERIFIED, ("count-too-large",))


# What is merely odd is said, and changes no grade.
SAID: dict[str, tuple[AggregateReport, dict[str, Any]]] = {
    "span-unusual": (some_report(begin=NOW - 3 * DAY_S, end=NOW), {}),
    "pending-domain": (some_report(policy_domain="new.example.jp"), {}),
    "report-id-differs": (some_report(), {"proof": sent_by(subject=Subject(report_id="r-2"))}),
    "subject-domain-differs": (some_report(), {"proof": sent_by(subject=Subject(domain=DomainName("a.example")))}),
    "submitter-differs": (some_report(), {"proof": sent_by(subject=Subject(submitter="relay.example"))}),
    "file-name-differs": (some_report(), {"file_name": "reporter.example!clinic.example.jp!1!2.xml.gz"}),
    "first-seen": (some_report(), {"known": KNOWN_REPORTERS}),
    "other-domain": (
        some_report(),
        {"known": KNOWN_REPORTERS.learn("reporter.example", DomainName("older.example"))},
    ),
    "told-by-host": (
        some_report(),
        {"proof": sent_by(aligned=("host",), signatures=(), attested=(Attested("mx", "dmarc", REPORTER),))},
    ),
    "testing-key": (
        some_report(),
        {"proof": sent_by(signatures=(Signature(REPORTER, "s", "", Outcome.PASS, None, (SignatureRemark.TESTING,)),))},
    ),
}


@pytest.mark.parametrize("reason", SAID)
def test_what_is_odd_is_said_and_changes_no_grade(reason: str) -> None:
    report, options = SAID[reason]
    assert judge(report, **options) == Trust(Grade.VERIFIED, "reporter.example", (reason,))


def test_bounds_are_where_they_are_said_to_be() -> None:
    assert judge(some_report(begin=NOW - DAY_S, end=NOW + DAY_S)).reasons == ()
    assert judge(some_report(begin=NOW - 2 * DAY_S, end=NOW)).reasons == ()
    assert judge(some_report(begin=NOW - 31 * DAY_S, end=NOW)).reasons == ("span-unusual",)
    assert judge(some_report(begin=NOW, end=NOW)).reasons == ()


@pytest.mark.parametrize("domain", ["clinic.example.jp", "mail.clinic.example.jp"])
def test_names_below_ours_are_ours(domain: str) -> None:
    assert judge(some_report(policy_domain=domain)).grade is Grade.VERIFIED


@pytest.mark.parametrize("domain", ["example.jp", "jp", "", "notclinic.example.jp", "clinic.example.jp.evil.example"])
def test_names_above_or_beside_ours_are_not(domain: str) -> None:
    assert judge(some_report(policy_domain=domain)).grade is Grade.UNVERIFIED


def test_without_domains_of_ours_everything_is_foreign() -> None:
    assert "foreign-domain" in judge(owned=Owned(frozenset())).reasons


NAMED = "reporter.example!clinic.example.jp!1790000000!1790086399"


@pytest.mark.parametrize(
    "name",
    [
        "reporter.example!other.example.jp!1790000000!1790086399.xml.gz",
        "reporter.example!clinic.example.jp!1790000001!1790086399.xml",
        f"{NAMED}.zip: reporter.example!clinic.example.jp!1!2.xml",
        f"reporter.example!clinic.example.jp!1!2.zip: {NAMED}.xml",
        f"reports/{NAMED.replace('clinic', 'other')}!r1.xml.gz",
    ],
)
def test_file_names_that_say_something_else(name: str) -> None:
    assert judge(file_name=name).reasons == ("file-name-differs",)


def test_the_name_of_the_attachment_is_looked_at() -> None:
    def named(name: str) -> tuple[str, ...]:
        raw = mail(gzip.compress(report_xml().encode()), name=name)
        (trust,) = judged(sign(raw), key_zone(), Way.FILE)
        return trust.reasons

    assert "file-name-differs" not in named(f"{NAMED}.xml.gz")
    assert "file-name-differs" in named(f"{NAMED.replace('clinic', 'other')}.xml.gz")


@pytest.mark.parametrize(
    ("addressed_to", "policy_domain", "grade"),
    [
        ((), "clinic.example.jp", Grade.VERIFIED),
        (("clinic.example.jp",), "clinic.example.jp", Grade.VERIFIED),
        (("clinic.example.jp",), "mail.clinic.example.jp", Grade.VERIFIED),
        (("new.example.jp", "clinic.example.jp"), "clinic.example.jp", Grade.VERIFIED),
        (("new.example.jp",), "clinic.example.jp", Grade.UNVERIFIED),
        (("mail.clinic.example.jp",), "clinic.example.jp", Grade.UNVERIFIED),
    ],
)
def test_the_address_of_one_domain_proves_nothing_about_another(
    addressed_to: tuple[str, ...], policy_domain: str, grade: Grade
) -> None:
    trust = judge(some_report(policy_domain=policy_domain), addressed_to=tuple(map(DomainName, addressed_to)))
    assert (trust.grade, "other-address" in trust.reasons) == (grade, grade is Grade.UNVERIFIED)


@pytest.mark.parametrize(
    "name",
    [
        "reporter.example!clinic.example.jp!1790000000!1790086399.xml.gz",
        "reporter.example!clinic.example.jp!1790000000!1790086399!r1.zip",
        "report.xml",
        "",
        "a!b!c",
    ],
)
def test_file_names_that_fit_or_say_nothing(name: str) -> None:
    assert judge(file_name=name).reasons == ()


def test_what_was_seen_once_does_not_shut_out_the_owner_of_a_name() -> None:
    """Somebody reports as "Google Inc." first; the real one is remarked on, not demoted."""
    known = KNOWN_REPORTERS.learn("Google Inc.", DomainName("evil.example"))
    report = some_report(org_name="Google Inc.", email="noreply@google.com")
    proof = sent_by("google.com", author_address="noreply-dmarc-support@google.com")
    assert judge(report, proof, known=known) == Trust(Grade.VERIFIED, "google.com", ("other-domain",))


def test_the_operator_can_vouch_for_a_reporter() -> None:
    report = some_report(org_name="carrier.example", email="dmarc@carrier.example")
    assert judge(report, sent_by("sender.example")).grade is Grade.AUTHENTICATED
    known = KNOWN_REPORTERS.vouch("Carrier.example ", DomainName("sender.example"))
    assert judge(report, sent_by("sender.example"), known=known).grade is Grade.VERIFIED
    assert judge(report, sent_by("carrier.example"), known=known).grade is Grade.AUTHENTICATED


def test_what_is_remembered_of_names_is_bounded() -> None:
    many = Registry().learn_all(("A", DomainName(f"d{number}.example")) for number in range(500))
    assert len(many.has_seen("a")) == 100
    assert len(Registry().learn_all((f"n{number}", DomainName("a.example")) for number in range(10_500)).seen) == 10_000


def test_registries_are_values() -> None:
    learned = Registry().learn("A  b", DomainName("a.example"))
    assert learned.has_seen("a B") == {"a.example"}
    assert Registry().has_seen("a b") == frozenset()


WHOLE = gzipped_mail(report_xml())


def judged(raw: bytes, zone: Zone, way: Way = Way.SMTP, **facts: Any) -> tuple[Trust, ...]:
    mail = by_smtp(raw, **facts) if way is Way.SMTP else received(raw, way, **facts)
    reports = read_mail(raw, DEFAULT_LIMITS).reports
    return run(assess(mail, reports, owned=OWNED), zone).trusts


def test_forged_without_any_proof() -> None:
    (trust,) = judged(WHOLE, Zone(), mail_from="x@evil.example")
    assert trust == Trust(Grade.UNVERIFIED, "", ("not-authenticated",))


def test_forged_by_somebody_with_a_good_name_of_their_own() -> None:
    zone = Zone.parse('evil.example TXT "v=spf1 +all"')
    (trust,) = judged(WHOLE, zone, mail_from="x@evil.example")
    assert (trust.grade, trust.domain, trust.reasons) == (Grade.AUTHENTICATED, "evil.example", ("not-aligned",))
    as_author = WHOLE.replace(b"From: dmarc@reporter.example", b"From: dmarc@evil.example")
    (trust,) = judged(as_author, zone, mail_from="x@evil.example")
    assert (trust.grade, trust.domain) == (Grade.AUTHENTICATED, "evil.example")
    assert "reporter-elsewhere" in trust.reasons


def test_replayed_to_another_hospital_is_foreign() -> None:
    (trust,) = judged(sign(WHOLE), key_zone(), Way.FILE)
    assert trust.grade is Grade.VERIFIED
    mail = received(sign(WHOLE))
    other = Owned(frozenset({DomainName("other.example.jp")}))
    (trust,) = run(assess(mail, read_mail(mail.raw).reports, owned=other), key_zone()).trusts
    assert (trust.grade, "foreign-domain" in trust.reasons) == (Grade.UNVERIFIED, True)


def test_replayed_with_a_changed_report_is_unverified() -> None:
    forged = gzipped_mail(report_xml(policy="<policy_published><domain>clinic.example.jp</domain></policy_published>"))
    (trust,) = judged(sign(WHOLE).partition(b"From:")[0] + forged, key_zone(), Way.FILE)
    assert trust.grade is Grade.UNVERIFIED


def test_replayed_with_a_second_content_type_on_top_is_unverified() -> None:
    (trust,) = judged(b"Content-Type: application/gzip\r\n" + sign(WHOLE), key_zone(), Way.FILE)
    assert trust.grade is Grade.UNVERIFIED


HEAD = (
    "From: Notifications <notifications@reporter.example>\r\nTo: dmarc@clinic.example.jp\r\n"
    "Subject: Somebody wrote to you\r\nMIME-Version: 1.0\r\n"
)
FORGED = report_xml()
IN_HTML = FORGED.replace("<", "&lt;").replace(">", "&gt;")
ATTACHED = gzipped_mail(report_xml()).decode()
ENCODED = ATTACHED.partition("\r\n\r\n")[2]
BOUNCE = (
    'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
    "--b\r\nContent-Type: text/plain\r\n\r\nNo such user.\r\n"
    f"--b\r\nContent-Type: message/rfc822\r\n\r\n{ATTACHED}\r\n--b--\r\n"
)

# What somebody's service signs and sends, with a report in it that a stranger wrote.
REFLECTED = {
    "a notification that is nothing but what was written": f"Content-Type: text/plain\r\n\r\n{FORGED}",
    "a notification around it": f"Content-Type: text/plain\r\n\r\nSomebody wrote:\r\n{FORGED}\r\nUnsubscribe\r\n",
    "a notification without a type": f"\r\n{FORGED}",
    "as HTML": f"Content-Type: text/html\r\n\r\n<p>Somebody wrote:</p><pre>{IN_HTML}</pre>",
    "an invitation": f'Content-Type: text/calendar; name="invite.ics"\r\n\r\nBEGIN:VCALENDAR\r\n{FORGED}',
    "a bounce": BOUNCE,
    "a bounce in text, as of qmail": f"\r\nHi. This is the qmail-send program.\r\n\r\n{ENCODED}",
    "a mail as a file": f'Content-Type: application/octet-stream; name="a.eml"\r\n\r\n{ATTACHED}',
}


@pytest.mark.parametrize("content", REFLECTED.values(), ids=REFLECTED)
def test_reflected_by_a_service_that_signs_what_strangers_write(content: str) -> None:
    (trust,) = judged(sign((HEAD + content).encode()), key_zone(), Way.FILE)
    assert (trust.grade, trust.domain) == (Grade.AUTHENTICATED, "reporter.example")
    assert "not-attached" in trust.reasons


def test_a_named_text_file_is_an_attachment() -> None:
    content = f'Content-Type: text/plain; name="report.xml"\r\n\r\n{FORGED}'
    (trust,) = judged(sign((HEAD + content).encode()), key_zone(), Way.FILE)
    assert trust.grade is Grade.VERIFIED


@pytest.mark.parametrize(
    ("org_name", "address"),
    [
        ("gmail.com", "somebody@gmail.com"),
        ("Yahoo", "somebody@yahoo.com"),
        ("docomo.ne.jp", "dmarc-report@docomo.ne.jp"),
        ("google.com", "forms-receipts-noreply@google.com"),
        ("google.com", ""),
        ("Enterprise Outlook", "azure-noreply@microsoft.com"),
    ],
)
def test_forged_by_a_customer_of_the_reporter(org_name: str, address: str) -> None:
    domain = address.partition("@")[2] or "google.com"
    report = some_report(org_name=org_name, email=address or "noreply@google.com")
    trust = judge(report, sent_by(domain, author_address=address))
    assert trust.grade is Grade.AUTHENTICATED
    assert "shared-domain" in trust.reasons


def test_a_display_name_or_comment_is_no_address_for_reports() -> None:
    """What stands beside the address proves nothing."""
    head = ATTACHED.replace(
        "From: dmarc@reporter.example", 'From: "noreply-dmarc-support@google.com" (x) <X@google.com>'
    )
    proof = run(authenticate(received(head.encode())), Zone())
    assert (proof.author, proof.author_address) == ("google.com", "x@google.com")


def test_future_dated() -> None:
    (trust,) = judged(sign(WHOLE, at=1_789_000_000), key_zone(), Way.FILE, received_at=1_789_000_060)
    assert (trust.grade, "ends-in-future" in trust.reasons) == (Grade.UNVERIFIED, True)


def test_conflicting_copies_from_two_senders_keep_their_own_domains() -> None:
    """The same org_name, report id and range from elsewhere: never the same authenticated reporter."""
    (real,) = judged(sign(WHOLE), key_zone(), Way.FILE)
    forged = sign(WHOLE.replace(b"From: dmarc@reporter.example", b"From: dmarc@evil.example"), domain="evil.example")
    (other,) = judged(forged, key_zone(domain="evil.example"), Way.FILE)
    assert (real.grade, real.domain) == (Grade.VERIFIED, "reporter.example")
    assert (other.grade, other.domain) == (Grade.AUTHENTICATED, "evil.example")


def test_a_mail_without_reports_asks_nothing() -> None:
    zone = Zone()
    assert run(assess(by_smtp(), (), owned=OWNED), zone).trusts == ()
    assert not zone.asked


@settings(max_examples=200, deadline=None)
@given(
    org_name=st.text(max_size=30),
    email=st.text(max_size=30),
    report_id=st.text(max_size=10),
    begin=st.integers(0, 2**40),
    end=st.integers(0, 2**40),
    policy_domain=st.text(max_size=20),
    file_name=st.text(alphabet="!a.", max_size=12),
    proof=st.sampled_from([NOBODY, SOMEBODY, sent_by(), Authentication()]),
)
def test_judging_never_raises_and_never_verifies_without_a_pass(
    org_name: str,
    email: str,
    report_id: str,
    begin: int,
    end: int,
    policy_domain: str,
    file_name: str,
    proof: Authentication,
) -> None:
    report = some_report(
        org_name=org_name, email=email, report_id=report_id, begin=begin, end=end, policy_domain=policy_domain
    )
    trust = judge(report, proof, file_name=file_name)
    assert trust.grade is not Grade.VERIFIED or proof.dmarc is Outcome.PASS


@pytest.mark.parametrize("language", ["日本語", "English"])
def test_every_reason_and_grade_is_explained_in_both_languages(language: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "trust.md").read_text("utf-8")
    part = page.partition(f"\n## {language}\n")[2].partition("\n## ")[0]
    rows = [line.split("`")[1] for line in part.splitlines() if line.startswith("| `")]
    assert sorted(rows) == sorted([*(grade.value for grade in Grade), *(reason.value for reason in Reason)])
