"""The story of one audit: ask, look, judge, propose. The one place where findings are born.

``audit_domain`` asks the network, ``replay_audit`` an evidence file; both go through the same ``_conclude``, so the
same answers always give the same findings.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from mailguard.dossier import Dossier, Expectation
from mailguard.evidence import Evidence, Option, source_of
from mailguard.inquiry import Answer, Inquiry, Source, run
from mailguard.names import DomainName
from mailguard.policy.expectation import expectation_for
from mailguard.policy.files import Policy
from mailguard.policy.judgement import Judged, judge
from mailguard.policy.programme import Row, assess
from mailguard.providers import Providers
from mailguard.remedy.find import find_fixes
from mailguard.remedy.fix import Fix
from mailguard.remedy.prove import view
from mailguard.resolver import Resolver, Session, drive
from mailguard.rules.catalogue import find
from mailguard.second_opinion import Opinion, second_opinion_inquiry
from mailguard.survey import Survey, take_survey
from mailguard.verdict import Spoofable
from mailguard.zone.parked import Parking, parked_state
from mailguard.zone.reach import doubted, doubting


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an audit needs besides the domain; the same for a whole run.

    ``selectors`` are DKIM selectors that the user named, ``reported`` those that aggregate reports told of, by domain;
    ``said`` is what the user said should hold, ``knowledge`` the providers that can be recognised. ``told`` is kept
    with the evidence, so that a replay can be told the same.
    """

    policy: Policy
    knowledge: Providers = field(default_factory=Providers)
    selectors: tuple[str, ...] = ()
    reported: Mapping[DomainName, tuple[str, ...]] = field(default_factory=dict)
    said: Expectation = field(default_factory=Expectation)
    second_opinion: bool = False
    told: Mapping[str, Option] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Audit:
    """What came of one audit. ``evidence`` is enough to come to the same again; ``duration_s`` is wall-clock time."""

    plan: Plan
    dossier: Dossier
    findings: tuple[Judged, ...]
    fixes: tuple[Fix, ...]
    spoofable: Spoofable
    parking: Parking
    programmes: tuple[Row, ...]
    opinion: Opinion | None
    evidence: Evidence
    duration_s: float

    @property
    def answers(self) -> tuple[Answer, ...]:
        """The answers as they were judged: of a server that does not reach the internet, no absence is believed."""
        answers = self.evidence.answers
        return tuple(map(doubted, answers)) if self.dossier.survey.is_cut_off else answers


async def audit_domain(domain: DomainName, plan: Plan, resolver: Resolver) -> Audit:
    """Audit one domain over the network: at most 100 questions and 20 s (``Session``).

    Nothing that the domain publishes raises; what could not be asked is in the evidence as unanswered.
    """
    began = time.monotonic()
    told = {**plan.told, _REPORTED: reported} if (reported := plan.reported.get(domain)) else plan.told
    probe_label = f"mailguard-{secrets.token_hex(4)}"
    evidence = Evidence(domain, datetime.now(UTC), probe_label, plan.selectors, told)
    with Session(resolver) as session:
        survey = await drive(_survey(evidence, plan), session)
        opinion = None
        if plan.second_opinion:
            opinion = await drive(_ask_second(survey, session.answers), session)
        evidence = replace(evidence, answers=session.answers)
    return _conclude(survey, plan, evidence, opinion, began)


def replay_audit(evidence: Evidence, plan: Plan) -> Audit:
    """Audit one domain again from what was seen then, as of then, with the selectors that were asked for then."""
    began = time.monotonic()
    source = source_of(evidence)
    survey = run(_survey(evidence, plan), source)
    opinion = None
    if plan.second_opinion:
        opinion = run(_ask_second(survey, evidence.answers), source)
    return _conclude(survey, plan, evidence, opinion, began)


_REPORTED: Final = "reported_selectors"


def _survey(evidence: Evidence, plan: Plan) -> Inquiry[Survey]:
    """The survey that the evidence is, or will be, about."""
    reported = evidence.options.get(_REPORTED)
    return take_survey(
        evidence.domain,
        selectors=evidence.selectors,
        reported=reported if isinstance(reported, tuple) else (),
        probe_label=evidence.probe_label,
        knowledge=plan.knowledge,
    )


def _ask_second(survey: Survey, answers: tuple[Answer, ...]) -> Inquiry[Opinion]:
    """The second opinion, which believes no server that the first did not."""
    if not survey.is_cut_off:
        return second_opinion_inquiry(survey.domain, {answer.question: answer for answer in answers})
    seen = {answer.question: doubted(answer) for answer in answers}
    return doubting(second_opinion_inquiry(survey.domain, seen))


def _conclude(survey: Survey, plan: Plan, evidence: Evidence, opinion: Opinion | None, began: float) -> Audit:
    expectation = expectation_for(plan.policy, survey.domain, plan.said)

    def look(source: Source) -> Dossier:
        again = run(_survey(evidence, plan), source)
        return Dossier(expectation, again, evidence.as_of)

    dossier = Dossier(expectation, survey, evidence.as_of)
    now = view(source_of(evidence), lambda _: dossier, find)
    fixes = find_fixes(now, look, find)
    return Audit(
        plan=plan,
        dossier=dossier,
        findings=judge(now.findings, plan.policy, survey.domain, evidence.as_of),
        fixes=fixes,
        spoofable=now.spoofable,
        parking=parked_state(survey, expectation),
        programmes=assess(dossier),
        opinion=opinion,
        evidence=evidence,
        duration_s=time.monotonic() - began,
    )
