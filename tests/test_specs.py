"""Run the specification pages of the rules (tests/specs/README.md says how they are written)."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mailguard.dossier import Dossier, Expectation, MailingLists
from mailguard.guides import LANGUAGES, fill, load_guide
from mailguard.inquiry import run
from mailguard.names import name
from mailguard.policy.expectation import expectation_for
from mailguard.policy.files import combine
from mailguard.policy.shelf import load_policy, load_providers
from mailguard.rules.base import Finding
from mailguard.rules.catalogue import CHECKS, RULES
from mailguard.survey import take_survey
from tests.zones import Zone

SPECS = Path(__file__).parent / "specs"
_CASE = re.compile(r"^## (fires|quiet): (.+)$", re.MULTILINE)
_BLOCK = re.compile(r"^```(zone|facts|settings)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SETTINGS = {"domain", "selectors", "mailing_lists", "sends", "receives", "as_of", "policies"}


@dataclass(frozen=True)
class Case:
    rule_id: str
    kind: str
    title: str
    zone: str
    facts: dict[str, Any]
    settings: dict[str, Any]


def read_cases(path: Path) -> list[Case]:
    text = path.read_text("utf-8")
    marks = [*_CASE.finditer(text)]
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    cases = []
    for mark, end in zip(marks, ends, strict=True):
        blocks = dict(_BLOCK.findall(text[mark.end() : end]))
        settings = tomllib.loads(blocks.get("settings", ""))
        assert set(settings) <= _SETTINGS, f"{path.name}: unknown setting in {mark[2]!r}"
        facts = tomllib.loads(blocks.get("facts", ""))
        cases.append(Case(path.stem, mark[1], mark[2], blocks["zone"], facts, settings))
    return cases


PAGES = sorted(SPECS.glob("[A-Z]*[0-9].md"))
CASES = [case for page in PAGES for case in read_cases(page)]


def dossier_of(case: Case) -> Dossier:
    settings = case.settings
    domain = name(settings.get("domain", "clinic.example.jp"))
    zone = Zone.parse(case.zone)
    inquiry = take_survey(
        domain,
        selectors=settings.get("selectors", ()),
        probe_label="mailguard-probe-0001",
        knowledge=load_providers(),
    )
    said = Expectation(
        mailing_lists=MailingLists(settings.get("mailing_lists", "unset")),
        sends=settings.get("sends"),
        receives=settings.get("receives"),
    )
    policy = combine(load_policy(name) for name in ["hospital", *settings.get("policies", ())])
    expectation = expectation_for(policy, domain, said)
    as_of = settings.get("as_of", datetime(2026, 11, 22, 9, 0, tzinfo=UTC))
    return Dossier(expectation, run(inquiry, zone), as_of)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule_id}-{case.kind}-{case.title}")
def test_case(case: Case) -> None:
    kind = RULES[case.rule_id]
    found: list[Finding] = list(CHECKS[kind](dossier_of(case)))
    if case.kind == "quiet":
        assert found == []
        return
    assert found, "the rule stayed quiet"
    facts = {key: list(value) if isinstance(value, tuple) else value for key, value in found[0].facts.items()}
    assert {key: facts.get(key) for key in case.facts} == case.facts
    assert found[0].seen_in, "a finding names the questions it rests on"
    for language in LANGUAGES:
        guide = load_guide(case.rule_id, language)
        filled = fill(guide.summary, {**found[0].facts, "domain": "clinic.example.jp"}, language)
        assert "None" not in filled


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page_has_both_kinds_of_case(page: Path) -> None:
    kinds = {case.kind for case in read_cases(page)}
    assert kinds == {"fires", "quiet"}
    rule = RULES[page.stem].rule
    assert page.read_text("utf-8").startswith(f"# {rule.id} {rule.name}\n")


@pytest.mark.parametrize("rule_id", sorted(RULES))
def test_rule_has_its_pages(rule_id: str) -> None:
    finding = RULES[rule_id]
    assert (SPECS / f"{rule_id}.md").exists(), "no specification page"
    known = finding.placeholders() | {"domain"}
    used = {language: load_guide(rule_id, language).placeholders for language in LANGUAGES}
    for language, placeholders in used.items():
        assert placeholders <= known, f"{language}: {placeholders - known} are no facts of {rule_id}"
    assert used["ja"] == used["en"], "the languages use different facts"
