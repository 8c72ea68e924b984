"""check_host against the public conformance suite of RFC 7208: all 203 cases."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest

from mailguard.inquiry import run
from mailguard.spf.check_host import Mailbox, SpfVerdict, check_host
from tests.spf.suite import SuiteZone, load_suite

SCENARIOS = (
    "Initial processing",
    "Record lookup",
    "Selecting records",
    "Record evaluation",
    "ALL mechanism syntax",
    "PTR mechanism syntax",
    "A mechanism syntax",
    "Include mechanism semantics and syntax",
    "MX mechanism syntax",
    "EXISTS mechanism syntax",
    "IP4 mechanism syntax",
    "IP6 mechanism syntax",
    "Semantics of exp and other modifiers",
    "Macro expansion rules",
    "Processing limits",
    "Test cases from implementation bugs",
)


@pytest.fixture(scope="module")
def suite() -> list[dict[str, Any]]:
    return load_suite()


def verdict_of(case: dict[str, Any], zone: SuiteZone) -> SpfVerdict:
    sender = Mailbox.parse(case["mailfrom"], case["helo"])
    inquiry = check_host(ip_address(case["host"]), sender.domain, sender, helo=case["helo"])
    return run(inquiry, zone)


def test_suite_is_whole(suite: list[dict[str, Any]]) -> None:
    assert tuple(scenario["description"] for scenario in suite) == SCENARIOS
    assert sum(len(scenario["tests"]) for scenario in suite) == 203


@pytest.mark.parametrize("description", SCENARIOS)
def test_scenario(suite: list[dict[str, Any]], description: str) -> None:
    (scenario,) = (scenario for scenario in suite if scenario["description"] == description)
    zone = SuiteZone.load(scenario["zonedata"])
    wrong = {}
    for case_id, case in scenario["tests"].items():
        verdict = verdict_of(case, zone)
        accepted = case["result"] if isinstance(case["result"], list) else [case["result"]]
        if verdict.result not in accepted:
            wrong[case_id] = f"{verdict.result}, not {' or '.join(accepted)}"
        # An empty explanation is the receiver's default text, which the suite calls DEFAULT.
        elif "explanation" in case and (verdict.explanation or "DEFAULT") != case["explanation"]:
            wrong[case_id] = f"explained {verdict.explanation!r}, not {case['explanation']!r}"
    assert wrong == {}
