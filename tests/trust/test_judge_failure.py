"""Which grade a failure report gets. Nothing is counted from them; the grade says whether to believe the line."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mailguard.feedback.report import FailureReport
from mailguard.names import DomainName
from mailguard.trust.grade import Grade, Trust
from mailguard.trust.judge import Owned
from mailguard.trust.judge_failure import judge_failure_report
from mailguard.trust.proof import Authentication, Outcome
from tests.trust.mails import NOW
from tests.trust.test_judge import NOBODY, SOMEBODY, sent_by

OWNED = Owned(frozenset({DomainName("clinic.example.jp")}), frozenset({DomainName("new.example.jp")}))
NEW = "new.example.jp"
FAILURE = FailureReport(
    feedback_type="auth-failure",
    auth_failure="dmarc",
    reported_domain="clinic.example.jp",
    mail_from_domain="",
    dkim_domain="",
    dkim_selector="",
    source_ip="192.0.2.66",
    arrival=NOW - 60,
    delivery_result="reject",
    identity_alignment="none",
    incidents=1,
    reporting_mta="mx.reporter.example",
    defects=(),
)


def judge(proof: Authentication | None = None, **facts: Any) -> Trust:
    return judge_failure_report(replace(FAILURE, **facts), proof or sent_by(), owned=OWNED, now=NOW)


@pytest.mark.parametrize(
    ("trust", "proof", "facts"),
    [
        (Trust(Grade.VERIFIED, "reporter.example"), sent_by(), {}),
        (Trust(Grade.VERIFIED, "reporter.example", ("pending-domain",)), sent_by(), {"reported_domain": NEW}),
        (Trust(Grade.AUTHENTICATED, "reporter.example", ("no-reporter",)), sent_by(), {"reporting_mta": ""}),
        (Trust(Grade.AUTHENTICATED, "evil.example", ("reporter-elsewhere",)), sent_by("evil.example"), {}),
        (Trust(Grade.AUTHENTICATED, "esp.example", ("not-aligned",)), SOMEBODY, {}),
        (Trust(Grade.UNVERIFIED, "", ("not-authenticated",)), NOBODY, {}),
        (Trust(Grade.UNVERIFIED, "", ("could-not-be-checked",)), replace(NOBODY, dmarc=Outcome.UNCHECKED), {}),
        (Trust(Grade.UNVERIFIED, "reporter.example", ("foreign-domain",)), sent_by(), {"reported_domain": ""}),
        (Trust(Grade.UNVERIFIED, "reporter.example", ("ends-in-future",)), sent_by(), {"arrival": NOW + 90_000}),
    ],
)
def test_grades(trust: Trust, proof: Authentication, facts: dict[str, Any]) -> None:
    assert judge(proof, **facts) == trust


def test_the_address_of_one_domain_proves_nothing_about_another() -> None:
    to = frozenset({DomainName("new.example.jp")})
    trust = judge_failure_report(FAILURE, sent_by(), owned=OWNED, now=NOW, addressed_to=to)
    assert trust == Trust(Grade.UNVERIFIED, "reporter.example", ("other-address",))
