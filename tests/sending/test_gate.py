"""Whoever advises others on their mail has to be in order, and what was not answered is not taken for good."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mailguard.sending.gate import judge_sender
from tests.cli.world import KEY
from tests.render.documents import AS_OF, document_of

DOMAIN = "consult.example.jp"
MAIL = f"{DOMAIN} MX 10 mail.{DOMAIN}\nmail.{DOMAIN} A 192.0.2.10\n"
SPF = f'{DOMAIN} TXT "v=spf1 ip4:192.0.2.10 -all"\n'
DKIM = f"s1._domainkey.{DOMAIN} TXT {KEY}\n"
DMARC = f'_dmarc.{DOMAIN} TXT "v=DMARC1; p=reject; rua=mailto:dmarc@{DOMAIN}"\n'


def judged(*zone: str, selectors: tuple[str, ...] = ("s1",), hours: int = 0, domain: str = DOMAIN) -> list[str]:
    document = document_of("".join(zone), DOMAIN, selectors=selectors)
    return [str(reason) for reason in judge_sender(document, domain, AS_OF + timedelta(hours=hours))]


def test_who_is_in_order_may_send() -> None:
    assert judged(MAIL, SPF, DKIM, DMARC) == []


def test_quarantine_is_good_enough() -> None:
    assert judged(MAIL, SPF, DKIM, DMARC.replace("reject", "quarantine")) == []


@pytest.mark.parametrize(
    ("zone", "told"),
    [
        ((MAIL, DKIM, DMARC), f"{DOMAIN} has no SPF that works"),
        ((MAIL, SPF, DKIM), f"{DOMAIN} has no DMARC that works"),
        ((MAIL, SPF, DMARC), f"{DOMAIN} has no DKIM that works"),
        ((MAIL, SPF, DKIM, DMARC.replace("reject", "none")), f"a stranger can send mail as {DOMAIN}"),
        ((MAIL, SPF.replace("-all", "+all"), DKIM, DMARC), "there are findings of high severity"),
        ((MAIL, f"{DOMAIN} TXT !timeout\n", DKIM, DMARC), f"whether {DOMAIN} has SPF was not answered"),
        ((MAIL, SPF, DKIM, f"_dmarc.{DOMAIN} TXT !servfail\n"), f"whether {DOMAIN} has DMARC was not answered"),
    ],
)
def test_who_is_not_may_not(zone: tuple[str, ...], told: str) -> None:
    assert any(reason.startswith(told) for reason in judged(*zone))


def test_a_selector_that_nobody_named_is_asked_for() -> None:
    hidden = DKIM.replace("s1.", "unguessable-7.")
    (reason,) = judged(MAIL, SPF, hidden, DMARC, selectors=())
    assert reason.startswith(f"no DKIM key of {DOMAIN} was found; name the selector in use")
    assert judged(MAIL, SPF, hidden, DMARC, selectors=("unguessable-7",)) == []


def test_everything_unanswered_is_no_pass() -> None:
    silent = "\n".join(f"{name} * !timeout" for name in (DOMAIN, f"_dmarc.{DOMAIN}", "example.jp", "jp"))
    reasons = judged(silent)
    assert f"whether a stranger can send mail as {DOMAIN} was not answered" in reasons


@pytest.mark.parametrize(("hours", "told"), [(23, []), (25, ["the audit is more than a day old"])])
def test_a_saved_audit_holds_for_a_day(hours: int, told: list[str]) -> None:
    assert judged(MAIL, SPF, DKIM, DMARC, hours=hours) == told


def test_an_audit_from_the_future_is_none() -> None:
    assert judged(MAIL, SPF, DKIM, DMARC, hours=-25) == ["the audit is from the future"]


def test_an_audit_of_another_domain_is_none() -> None:
    (reason,) = judged(MAIL, SPF, DKIM, DMARC, domain="other.example.jp")
    assert reason == f"the audit is about {DOMAIN}, and mail would be sent from other.example.jp"
