"""What the public suite does not say about check_host: traces, problems, budgets, and how the sender is named."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from mailguard.inquiry import run
from mailguard.spf.check_host import check_host
from mailguard.spf.limits import RFC_BUDGET, LookupBudget
from mailguard.spf.verdict import Mailbox, Problem, Result, SpfVerdict
from tests.zones import Zone

CLINIC = "clinic.example.jp"


def ask(zone: str, ip: str = "192.0.2.1", budget: LookupBudget = RFC_BUDGET) -> SpfVerdict:
    return run(check_host(ip_address(ip), CLINIC, Mailbox("info", CLINIC), budget=budget), Zone.parse(zone))


def test_the_verdict_says_which_directive_in_which_record_decided() -> None:
    verdict = ask("""
        clinic.example.jp  TXT  "v=spf1 redirect=_spf.example.net"
        _spf.example.net   TXT  "v=spf1 ip4:192.0.2.0/24 -all"
    """)
    assert (verdict.result, verdict.term, verdict.term_domain) == (Result.PASS, "ip4:192.0.2.0/24", "_spf.example.net")


def test_the_trace_reads_in_the_order_of_evaluation() -> None:
    verdict = ask("""
        clinic.example.jp  TXT  "v=spf1 include:a.example.net mx ~all"
        a.example.net      TXT  "v=spf1 ip4:198.51.100.1 -all"
        clinic.example.jp  MX   10 mail.clinic.example.jp
        mail.clinic.example.jp  A  192.0.2.9
    """)
    assert [(step.depth, step.term, step.matched, step.note) for step in verdict.trace] == [
        (0, "include:a.example.net", False, "fail"),
        (1, "ip4:198.51.100.1", False, ""),
        (1, "-all", True, ""),
        (0, "mx", False, "192.0.2.9"),
        (0, "~all", True, ""),
    ]


@pytest.mark.parametrize(
    ("zone", "result", "problem"),
    [
        ("clinic.example.jp TXT !timeout", Result.TEMPERROR, Problem.UNANSWERED),
        ('clinic.example.jp TXT "v=spf1 a"\nclinic.example.jp A !servfail', Result.TEMPERROR, Problem.UNANSWERED),
        ('clinic.example.jp TXT "v=spf1 ip:1"', Result.PERMERROR, Problem.SYNTAX),
        (
            'clinic.example.jp TXT "v=spf1"\nclinic.example.jp TXT "v=spf1 mx"',
            Result.PERMERROR,
            Problem.MULTIPLE_RECORDS,
        ),
        ('clinic.example.jp TXT "v=spf1 include:a.example.net"', Result.PERMERROR, Problem.INCLUDE_NONE),
        ('clinic.example.jp TXT "v=spf1 redirect=a.example.net"', Result.PERMERROR, Problem.REDIRECT_NONE),
        ('clinic.example.jp TXT "v=spf1 include:clinic.example.jp"', Result.PERMERROR, Problem.TOO_MANY_LOOKUPS),
        (
            'clinic.example.jp TXT "v=spf1 a:a.example.net a:b.example.net a:c.example.net"',
            Result.PERMERROR,
            Problem.TOO_MANY_VOID_LOOKUPS,
        ),
    ],
)
def test_an_error_has_a_reason(zone: str, result: Result, problem: Problem) -> None:
    verdict = ask(zone)
    assert (verdict.result, verdict.problem) == (result, problem)


def test_an_mx_with_many_hosts_without_address_is_one_void_lookup() -> None:
    hosts = "\n".join(f"clinic.example.jp MX {i} m{i}.example.net" for i in range(5))
    verdict = ask(f'clinic.example.jp TXT "v=spf1 mx -all"\n{hosts}')
    assert (verdict.result, verdict.void_lookups) == (Result.FAIL, 1)


def test_an_mx_host_that_does_not_answer_hurts_only_where_no_other_matches() -> None:
    zone = """
        clinic.example.jp  TXT  "v=spf1 mx -all"
        clinic.example.jp  MX   10 a.example.net
        clinic.example.jp  MX   20 b.example.net
        a.example.net      A    !timeout
        b.example.net      A    192.0.2.1
    """
    assert ask(zone).result is Result.PASS
    assert ask(zone, "192.0.2.2").result is Result.TEMPERROR


def test_ptr_for_a_client_without_a_name_is_a_void_lookup() -> None:
    verdict = ask('clinic.example.jp TXT "v=spf1 ptr ptr:example.net -all"')
    assert (verdict.result, verdict.void_lookups) == (Result.FAIL, 2)


def test_the_limits_are_arguments() -> None:
    zone = 'clinic.example.jp TXT "v=spf1 a:a.example.net a:b.example.net a:c.example.net -all"'
    assert ask(zone, budget=LookupBudget(void_lookups=3)).result is Result.FAIL
    assert ask(zone, budget=LookupBudget(lookups=2, void_lookups=9)).problem is Problem.TOO_MANY_LOOKUPS


def test_an_explanation_may_name_receiver_and_time() -> None:
    zone = Zone.parse("""
        clinic.example.jp  TXT  "v=spf1 -all exp=why.example.net"
        why.example.net    TXT  "%{i} %{r} %{t}"
    """)
    inquiry = check_host(ip_address("192.0.2.1"), CLINIC, Mailbox("a", CLINIC), receiver="mx.example.com", time_s=7)
    assert run(inquiry, zone).explanation == "192.0.2.1 mx.example.com 7"


@pytest.mark.parametrize(
    ("mail_from", "expected"),
    [
        ("", "postmaster@mx.example.com"),
        ("@clinic.example.jp", "postmaster@clinic.example.jp"),
        ("a@b@clinic.example.jp", "a@b@clinic.example.jp"),
        ("clinic.example.jp", "postmaster@clinic.example.jp"),
    ],
)
def test_who_the_sender_is(mail_from: str, expected: str) -> None:
    assert str(Mailbox.parse(mail_from, "mx.example.com")) == expected


@pytest.mark.parametrize(
    "domain", ["", "localhost", "a..example.jp", "[192.0.2.1]", "x" * 64 + ".example.jp", "\ud800.jp"]
)
def test_a_domain_that_cannot_be_checked_gives_none_without_a_question(domain: str) -> None:
    zone = Zone()
    assert run(check_host(ip_address("192.0.2.1"), domain, Mailbox("a", domain)), zone).result is Result.NONE
    assert not zone.asked


def test_a_u_label_is_checked_as_a_label() -> None:
    zone = Zone.parse('xn--0rys90e.example.jp TXT "v=spf1 -all"')
    assert run(check_host(ip_address("192.0.2.1"), "病院.example.jp", Mailbox("a", "b")), zone).result is Result.FAIL
