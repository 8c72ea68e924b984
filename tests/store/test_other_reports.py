"""TLS and failure reports: kept once under the best proof, asked for by what is proved, and gone in time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

import pytest

from mailguard.feedback.envelope import ReceivedMail
from mailguard.feedback.mail import MailContents
from mailguard.feedback.report import FailureReport, TlsFailure, TlsPolicy, TlsReport
from mailguard.store import Filed, Outcome, Store
from mailguard.store.migrate import downgrade, upgrade
from mailguard.store.other_questions import FailureRow, TlsSum
from mailguard.store.reports import Window
from mailguard.store.upkeep import Kind, check
from mailguard.trust.grade import UNVERIFIED, Grade, Trust
from tests.store.samples import AUTHENTICATED, BEGIN, DOMAIN, VERIFIED, report

DAY = date(2026, 9, 21)  # of BEGIN
WINDOW = Window(DOMAIN, DAY, DAY + timedelta(days=3))
EVERY_GRADE = replace(WINDOW, least=Grade.UNVERIFIED)
RECEIVED = BEGIN + 100_000

EXPIRED = TlsFailure("certificate-expired", "192.0.2.1", "mx.example.jp", "", "192.0.2.2", 2, "", "")


def tls(report_id: str = "t-1", *policies: TlsPolicy, organization: str = "reporter.example") -> TlsReport:
    policies = policies or (TlsPolicy("sts", DOMAIN, ("version: STSv1",), ("mx.example.jp",), 5, 2, (EXPIRED,)),)
    return TlsReport(
        organization=organization,
        contact="tls@reporter.example",
        report_id=report_id,
        begin=BEGIN,
        end=BEGIN + 86_399,
        policies=policies,
        read=len(policies),
        repaired=0,
        dropped=0,
        defects=(),
        defects_omitted=0,
        digest=sha256(repr((report_id, policies, organization)).encode("utf-8", "replace")).digest(),
    )


def tls_mail(*reports: TlsReport, trust: Trust | None = VERIFIED, raw: bytes = b"") -> Filed:
    raw = raw or repr((reports, trust)).encode("utf-8", "replace")
    trusts = (trust,) * len(reports) if trust else ()
    return Filed(ReceivedMail(raw, RECEIVED), MailContents((), (), tls_reports=reports), (), tls_trusts=trusts)


def outcomes(store: Store, *mails: Filed) -> list[Outcome]:
    return [stored.tls_outcomes[0] for stored in store.add(mails)]


FAILURE = FailureReport(
    feedback_type="auth-failure",
    auth_failure="dmarc",
    reported_domain=DOMAIN,
    mail_from_domain="a.example",
    dkim_domain="b.example",
    dkim_selector="s1",
    source_ip="192.0.2.66",
    arrival=BEGIN,
    delivery_result="reject",
    identity_alignment="none",
    incidents=3,
    reporting_mta="mx.reporter.example",
    defects=(),
)


def failure_mail(trust: Trust = VERIFIED, **facts: Any) -> Filed:
    mail = ReceivedMail(b"a patient's letter " + repr(facts).encode(), RECEIVED, mail_from="patient.name@example.com")
    contents = MailContents((), (), failure_reports=(replace(FAILURE, **facts),))
    return Filed(mail, contents, (), failure_trusts=(trust,))


@pytest.mark.parametrize("apart", [False, True], ids=["in one batch", "one after the other"])
@pytest.mark.parametrize(
    ("trusts", "expected"),
    [
        ((VERIFIED, UNVERIFIED), ["stored", "duplicate"]),
        ((UNVERIFIED, VERIFIED), ["stored", "stored"]),
        ((UNVERIFIED, AUTHENTICATED, VERIFIED), ["stored", "stored", "stored"]),
        ((None, VERIFIED, AUTHENTICATED), ["stored", "stored", "duplicate"]),
    ],
)
def test_the_same_content_is_one_report_under_the_best_proof(
    store: Store,
    trusts: tuple[Trust | None, ...],
    expected: list[str],
    apart: bool,
) -> None:
    mails = [tls_mail(tls(), trust=trust) for trust in trusts]
    found = [outcome for mail in mails for outcome in outcomes(store, mail)] if apart else outcomes(store, *mails)
    assert found == expected
    (row,) = store.list_tls()
    assert (row.grade, row.reporter) == (Grade.VERIFIED, VERIFIED.domain)
    ((mail_id, raw),) = store.database.rows(
        "SELECT mail.id, mail.raw IS NOT NULL FROM tls_report JOIN mail ON mail.id = mail_id"
    )
    assert (mail_id, bool(raw)) == (trusts.index(VERIFIED) + 1, True)
    assert outcomes(store, *mails) == ["duplicate"] * len(mails)


def test_nobody_takes_the_place_of_another_reporter(store: Store) -> None:
    forged = tls("t-1", TlsPolicy("sts", DOMAIN, (), (), 0, 1_000_000, ()))
    assert outcomes(store, tls_mail(forged, trust=UNVERIFIED), tls_mail(tls())) == ["stored", "stored"]
    assert outcomes(store, tls_mail(forged, trust=AUTHENTICATED)) == ["stored"]
    assert store.tls_sums(WINDOW) == [TlsSum(DOMAIN, "sts", reports=1, successful=5, failed=2)]
    assert store.tls_sums(EVERY_GRADE) == [TlsSum(DOMAIN, "sts", reports=2, successful=5, failed=1_000_002)]


@pytest.mark.parametrize("apart", [False, True], ids=["in one batch", "one after the other"])
def test_other_content_under_the_same_name_is_a_conflict_and_never_an_overwrite(
    store: Store,
    apart: bool,
) -> None:
    other = tls("t-1", TlsPolicy("sts", DOMAIN, (), (), 9, 9, ()))
    mails = [tls_mail(tls()), tls_mail(other)]
    found = [outcome for mail in mails for outcome in outcomes(store, mail)] if apart else outcomes(store, *mails)
    assert found == ["stored", "conflict"]
    (row,) = store.list_tls()
    assert (row.successful, row.conflicts) == (5, 1)
    shown = store.show_tls(1)
    assert shown is not None
    assert shown["conflicts"] == [{"mail_id": 2}]


def test_a_proof_that_comes_later_meets_the_conflict_too(store: Store) -> None:
    other = tls("t-1", TlsPolicy("sts", DOMAIN, (), (), 9, 9, ()))
    found = outcomes(store, tls_mail(other, trust=UNVERIFIED), tls_mail(tls()), tls_mail(other))
    assert found == ["stored", "stored", "conflict"]
    assert [row.grade for row in store.list_tls()] == [Grade.VERIFIED, Grade.UNVERIFIED]


def test_one_tls_report_is_shown_whole(store: Store) -> None:
    outcomes(store, tls_mail(tls("t\0-1")))
    shown = store.show_tls(1)
    assert shown is not None
    (policy,) = shown["policies"]
    assert (policy["domain"], policy["successful"], policy["strings"]) == (DOMAIN, 5, ["version: STSv1"])
    assert policy["failures"][0]["result_type"] == "certificate-expired"
    assert shown["mail"]["received_at"] == RECEIVED
    assert store.show_tls(2) is None


def test_policies_come_with_what_their_report_says(store: Store) -> None:
    elsewhere = TlsPolicy("no-policy-found", "other.example.jp", (), (), None, None, ())
    outcomes(store, tls_mail(tls("t-1", TlsPolicy("sts", DOMAIN, (), ("*.example.jp",), 1, 0, ()), elsewhere)))
    (row,) = store.tls_policies(WINDOW)
    assert (row["policy_domain"], row["mx"], row["successful"], row["grade"]) == (
        DOMAIN,
        ["*.example.jp"],
        1,
        "verified",
    )
    assert [row["successful"] for row in store.tls_policies(replace(WINDOW, domain=""))] == [1, None]
    assert store.list_tls(WINDOW)[0].domains == [DOMAIN, "other.example.jp"]


def test_a_copy_that_was_a_duplicate_stays_one_whatever_came_under_its_key_since(store: Store) -> None:
    other = tls("t-1", replace(tls().policies[0], failed=3))
    mails = [tls_mail(tls()), tls_mail(tls(), trust=AUTHENTICATED), tls_mail(other, trust=AUTHENTICATED)]
    assert outcomes(store, *mails) == [Outcome.STORED, Outcome.DUPLICATE, Outcome.STORED]
    assert outcomes(store, *mails) == [Outcome.DUPLICATE, Outcome.DUPLICATE, Outcome.DUPLICATE]
    assert store.database.rows("SELECT COUNT(*) FROM tls_conflict") == [(0,)]


def test_only_what_is_proved_is_told_unless_asked_otherwise(store: Store) -> None:
    outcomes(store, tls_mail(tls(), trust=UNVERIFIED))
    store.add([failure_mail(UNVERIFIED)])
    assert not [*store.tls_sums(WINDOW), *store.list_tls(WINDOW), *store.tls_policies(WINDOW)]
    assert not [*store.list_failures(WINDOW), *store.failures(WINDOW)]
    assert len(store.list_tls(EVERY_GRADE)) == len(store.list_failures(EVERY_GRADE)) == 1
    later = Window(DOMAIN, DAY + timedelta(days=9), DAY + timedelta(days=10), Grade.UNVERIFIED)
    assert not [*store.list_tls(later), *store.list_failures(later)]


def test_counts_that_no_database_can_add_up_are_added_up(store: Store) -> None:
    huge = TlsPolicy("sts", DOMAIN, (), (), 2**70, 2**70, ())
    outcomes(store, tls_mail(tls("t-1", huge, huge)))
    assert store.list_tls()[0].failed == 2 * (2**63 - 1)
    assert store.tls_sums(WINDOW)[0].successful == 2 * (2**63 - 1)


def test_of_a_failure_report_the_needed_fields_are_kept(store: Store) -> None:
    store.add([failure_mail()])
    assert store.list_failures(WINDOW) == [
        FailureRow(1, Grade.VERIFIED, VERIFIED.domain, RECEIVED, BEGIN, DOMAIN, "dmarc", "192.0.2.66", 3)
    ]
    (row,) = store.failures(WINDOW)
    assert (row["reporting_mta"], row["delivery_result"]) == ("mx.reporter.example", "reject")
    shown = store.show_failure(1)
    assert shown is not None
    assert shown["mail"]["mail_from"] == "example.com"
    assert store.show_failure(2) is None


def test_nothing_of_the_mail_in_a_failure_report_is_kept(store: Store) -> None:
    store.add([failure_mail()])
    for table in store.database.tables():
        for row in store.database.rows(f"SELECT * FROM {table}"):
            assert "patient" not in repr(row).lower()
    assert store.database.rows("SELECT raw FROM mail") == [(None,)]


def test_the_same_failure_report_is_kept_once(store: Store) -> None:
    store.add([failure_mail(), failure_mail()])
    store.add([failure_mail(), failure_mail(source_ip="192.0.2.67")])
    assert [row.id for row in store.list_failures()] == [2, 1]


def test_failure_reports_go_with_what_is_known_of_their_mails(store: Store) -> None:
    beside = failure_mail(source_ip="192.0.2.67")
    store.add(
        [failure_mail(), replace(beside, contents=replace(beside.contents, reports=(report(),)), trusts=(VERIFIED,))]
    )
    assert store.prune(Kind.FAILURES, RECEIVED) == 0
    assert store.prune(Kind.FAILURES, RECEIVED + 1) == 2
    assert store.list_failures() == []
    assert store.database.rows("SELECT id FROM mail") == [(2,)]
    assert len(store.list_reports()) == 1
    assert list(check(store.database)) == []


def test_tls_reports_that_nobody_vouched_for_go_sooner(store: Store) -> None:
    outcomes(store, tls_mail(tls("t-1")), tls_mail(tls("t-2"), trust=UNVERIFIED))
    assert store.prune(Kind.UNVERIFIED, RECEIVED + 1) == 1
    assert [row.report_id for row in store.list_tls()] == ["t-1"]
    assert store.prune(Kind.TLS, RECEIVED + 1) == 1
    assert store.database.rows("SELECT COUNT(*) FROM tls_policy") == [(0,)]


def test_reports_from_before_there_were_grades_are_unverified(store: Store) -> None:
    outcomes(store, tls_mail(tls()))
    store.add([failure_mail(), failure_mail(source_ip="192.0.2.67")])
    downgrade(store.database, "0002")
    upgrade(store.database)
    (row,) = store.list_tls()
    assert (row.grade, row.reporter, row.successful) == (Grade.UNVERIFIED, "reporter.example", 5)
    shown = store.show_tls(1)
    assert shown is not None
    assert shown["trust_reasons"] == ["not-checked"]
    assert [(one.id, one.grade, one.source_ip) for one in store.list_failures()] == [
        (2, Grade.UNVERIFIED, "192.0.2.67"),
        (1, Grade.UNVERIFIED, "192.0.2.66"),
    ]
    assert outcomes(store, tls_mail(tls())) == ["stored"]
    assert store.list_tls()[0].grade is Grade.VERIFIED
