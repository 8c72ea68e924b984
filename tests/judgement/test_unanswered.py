"""Each answer of each clinic in turn, and some pairs, go missing: nothing may be claimed, or advised, because of it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from mailguard.audit import Audit
from mailguard.inquiry import Answer, Question, RRType, Source, Status
from mailguard.render.document import to_document
from tests.judgement.clinics import Clinic, audit, clinics

FAILURES = (Status.TIMEOUT, Status.SERVFAIL, Status.REFUSED)
PAIRS = 10
SCOPES = ("domain", "subdomain", "nonexistent_subdomain")

GENERAL = {"DMARC001": {"ZONE014", "ZONE001", "DMARC016"}, "SPF001": {"ZONE014"}}
"""Findings that a more exact one silences, until that rests on an answer that is missing."""


def silent(source: Source, unanswered: frozenset[Question], status: Status) -> Source:
    def answer(question: Question) -> Answer:
        return Answer(question, status) if question in unanswered else source(question)

    return answer


def losses(clinic: Clinic, questions: list[Question]) -> Iterator[tuple[frozenset[Question], Status]]:
    for number, question in enumerate(questions):
        yield frozenset({question}), FAILURES[number % 3]
    chance = random.Random(str(clinic))
    for number in range(PAIRS):
        yield frozenset(chance.sample(questions, 2)), FAILURES[number % 3]


def audits(clinic: Clinic) -> Iterator[tuple[frozenset[Question], Audit]]:
    """Audits of the clinic, each with one or two answers missing."""
    questions = [answer.question for answer in audit(clinic, clinic.dns()).evidence.answers]
    for unanswered, status in losses(clinic, questions):
        yield unanswered, audit(clinic, silent(clinic.dns(), unanswered, status))


@pytest.mark.parametrize("clinic", clinics(), ids=str)
def test_nothing_is_claimed_or_advised_because_of_a_missing_answer(clinic: Clinic) -> None:
    whole = audit(clinic, clinic.dns())
    before = to_document(whole)
    for unanswered, seen in audits(clinic):
        now = to_document(seen)
        check_states(before, now)
        check_findings(whole, seen, unanswered)
        check_fixes(whole, seen, unanswered)
        check_deciding(clinic, before, now, unanswered)


def check_states(before: dict[str, Any], now: dict[str, Any]) -> None:
    for scope in SCOPES:
        assert now["spoofable"][scope] in (before["spoofable"][scope], "unknown")
        for policies in ("effective_policy", "legacy_policy"):
            assert now["dmarc"][policies][scope] in (before["dmarc"][policies][scope], "unanswered")
    for part in ("spf", "dmarc", "mx", "parked", "dkim"):
        assert now[part]["status"] in (before[part]["status"], "unanswered", "unknown")
    for row, former in zip(now["programmes"], before["programmes"], strict=True):
        assert row["status"] in (former["status"], "unknown")
    keys = {key["selector"]: key["status"] for key in before["dkim"]["selectors"]}
    assert all(key["status"] in (keys.get(key["selector"]), "unanswered") for key in now["dkim"]["selectors"])


def check_findings(whole: Audit, seen: Audit, unanswered: frozenset[Question]) -> None:
    known = {(one.finding.rule.id, one.finding.at) for one in whole.findings}
    rules = {rule for rule, _ in known}
    for finding in (one.finding for one in seen.findings):
        assert not unanswered.intersection(finding.seen_in)
        more_exact = GENERAL.get(finding.rule.id, set())
        assert (finding.rule.id, finding.at) in known or more_exact & rules


def check_fixes(whole: Audit, seen: Audit, unanswered: frozenset[Question]) -> None:
    known = {(record.name, record.rrtype, record.after) for fix in whole.fixes for record in fix.records}
    general = any({"DMARC001", "SPF001"} & set(fix.rules) for fix in seen.fixes)
    for record in (record for fix in seen.fixes for record in fix.records):
        assert Question(record.name, record.rrtype) not in unanswered
        assert (record.name, record.rrtype, record.after) in known or general


def check_deciding(
    clinic: Clinic, before: dict[str, Any], now: dict[str, Any], unanswered: frozenset[Question]
) -> None:
    """Where a policy is enforced, the verdict needs the domain's own SPF and DMARC answers."""
    deciding = {Question(name, RRType.TXT) for name in (clinic.domain, clinic.domain.child("_dmarc"))}
    if deciding & unanswered and before["dmarc"]["effective_policy"]["domain"] in ("reject", "quarantine"):
        known_open = before["spoofable"]["domain"] == "yes"  # by another name of the organisation, for instance
        assert now["spoofable"]["domain"] in ("unknown", "yes" if known_open else "unknown")
