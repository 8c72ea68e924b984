"""Weighing: severity by policy, waivers with an end."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mailguard.errors import PolicyError
from mailguard.names import name
from mailguard.policy.files import Policy, parse_policy
from mailguard.policy.judgement import judge
from mailguard.rules.base import Finding, Rule, Severity

CLINIC = name("clinic.example.jp")


class Grave(Finding):
    """For tests."""

    rule = Rule("TST001", "grave", Severity.HIGH)


class Slight(Finding):
    """For tests."""

    rule = Rule("TST002", "slight", Severity.LOW)


FINDINGS = (Slight(at=CLINIC, seen_in=()), Grave(at=CLINIC, seen_in=()), Slight(at=name("b.example"), seen_in=()))


def policy(text: str = "") -> Policy:
    def nobody(wanted: str) -> Policy:
        raise PolicyError(wanted)

    head = "format = 1\ntitle = { ja = '題', en = 'Title' }\n"
    return parse_policy(head + text, "my.toml", "my", nobody)


def at(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


WAIVER = "[[waive]]\nrule = 'TST001'\nreason = 'we move in March'\nuntil = 2027-03-31\n"


def test_most_severe_first_else_in_the_order_of_finding() -> None:
    judged = judge(FINDINGS, policy(), CLINIC, at("2027-01-01"))
    assert [(one.finding.rule.id, one.finding.at) for one in judged] == [
        ("TST001", CLINIC),
        ("TST002", CLINIC),
        ("TST002", "b.example"),
    ]


def test_a_policy_weighs_a_rule_otherwise() -> None:
    judged = judge(FINDINGS, policy("[severity]\nTST002 = 'critical'"), CLINIC, at("2027-01-01"))
    assert [one.severity for one in judged] == [Severity.CRITICAL, Severity.CRITICAL, Severity.HIGH]


@pytest.mark.parametrize(("day", "waived"), [("2027-03-31T23:59", True), ("2027-04-01T00:00", False)])
def test_a_waiver_ends_with_its_last_day_and_then_shows_itself(day: str, waived: bool) -> None:
    judged = judge(FINDINGS, policy(WAIVER), CLINIC, at(day))
    grave = next(one for one in judged if one.finding.rule.id == "TST001")
    assert grave.waived is waived
    assert grave.waiver_expired is not waived
    assert grave.waiver is not None
    assert grave.waiver.reason == "we move in March"
    assert judged[-1 if waived else 0] is grave, "what is waived stands last, what no longer is stands in its place"


@pytest.mark.parametrize(
    ("domain", "waived"), [("clinic.example.jp", True), ("sub.clinic.example.jp", True), ("example.jp", False)]
)
def test_a_waiver_for_a_domain_covers_it_and_what_lies_below(domain: str, waived: bool) -> None:
    narrow = WAIVER + "domain = 'clinic.example.jp'\n"
    judged = judge(FINDINGS[1:2], policy(narrow), name(domain), at("2027-01-01"))
    assert judged[0].waived is waived


def test_of_two_waivers_the_longer_one_counts() -> None:
    older = WAIVER.replace("2027-03-31", "2026-01-01")
    judged = judge(FINDINGS[1:2], policy(older + WAIVER), CLINIC, at("2027-01-01"))
    assert judged[0].waived
