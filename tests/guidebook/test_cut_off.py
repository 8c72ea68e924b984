"""A guide made where the DNS server does not reach the internet: nothing is told as seen, and nothing as in order."""

from __future__ import annotations

import pytest

from mailguard.audit import Plan, replay_audit
from mailguard.evidence import Evidence
from mailguard.guidebook.case import Case
from mailguard.guidebook.parts import evidence, findings
from mailguard.guidebook.texts import Texts
from mailguard.inquiry import Answer, Question, Status, run
from mailguard.names import name
from mailguard.policy.shelf import load_policy, load_providers
from mailguard.render.document import to_document
from mailguard.survey import take_survey
from tests.guidebook.cases import MADE_AT, case_of, lines

CLINIC = name("clinic.example.jp")


@pytest.fixture(scope="module")
def case() -> Case:
    """Everything that was asked for was denied."""
    asked: dict[Question, Answer] = {}
    survey = take_survey(CLINIC, probe_label="probe", knowledge=load_providers())
    run(survey, lambda question: asked.setdefault(question, Answer(question, Status.NXDOMAIN)))
    kept = Evidence(CLINIC, MADE_AT, "probe", (), answers=tuple(asked.values()))
    plan = Plan(policy=load_policy("hospital"), knowledge=load_providers())
    return case_of(to_document(replay_audit(kept, plan)), evidence=kept)


@pytest.mark.parametrize(
    ("language", "says"),
    [("ja", "インターネットにつながっていないようです"), ("en", "Your DNS server seems not to reach the internet")],
)
def test_what_was_found_says_that_the_server_is_cut_off(case: Case, language: str, says: str) -> None:
    assert says in "\n".join(lines(findings.make(case, Texts(language))))


@pytest.mark.parametrize(("language", "absent"), [("ja", "この名前はない、という答え"), ("en", "answer: no such name")])
def test_the_evidence_shows_no_denial_as_an_answer(case: Case, language: str, absent: str) -> None:
    assert Texts(language).raw("evidence.no-name") == absent
    part = "\n".join(lines(evidence.make(case, Texts(language))))
    assert absent not in part
    assert f"{CLINIC} MX" in part  # among what was not answered
