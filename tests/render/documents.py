"""Audits of test zones as documents, for everything that shows them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache

from mailguard.audit import Plan, replay_audit
from mailguard.dossier import Expectation, MailingLists
from mailguard.evidence import Evidence
from mailguard.inquiry import Answer, Question, run
from mailguard.names import name
from mailguard.policy.files import combine
from mailguard.policy.shelf import load_policy, load_providers
from mailguard.render.document import Document, to_document
from mailguard.survey import take_survey
from tests.test_specs import CASES, Case
from tests.zones import Zone

AS_OF = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
PROBE = "mailguard-probe-0001"


def document_of(
    zone: str | Zone,
    domain: str = "clinic.example.jp",
    *,
    selectors: Sequence[str] = (),
    said: Expectation | None = None,
    policies: Sequence[str] = ("hospital",),
    as_of: datetime = AS_OF,
    second_opinion: bool = False,
) -> Document:
    """The document of an audit of ``domain`` in a zone, as of a fixed time and with a duration of nothing."""
    plan = Plan(
        policy=combine(load_policy(policy) for policy in policies),
        knowledge=load_providers(),
        selectors=tuple(selectors),
        said=said or Expectation(),
        second_opinion=second_opinion,
    )
    world = Zone.parse(zone) if isinstance(zone, str) else zone
    seen: dict[Question, Answer] = {}

    def source(question: Question) -> Answer:
        return seen.setdefault(question, world(question))

    inquiry = take_survey(name(domain), selectors=plan.selectors, probe_label=PROBE, knowledge=plan.knowledge)
    run(inquiry, source)
    evidence = Evidence(name(domain), as_of, PROBE, plan.selectors, answers=tuple(seen.values()))
    return {**to_document(replay_audit(evidence, plan)), "duration_s": 0.0}


def document_of_case(case: Case) -> Document:
    """The document of one case of a specification page."""
    settings = case.settings
    said = Expectation(
        MailingLists(settings.get("mailing_lists", "unset")), settings.get("sends"), settings.get("receives")
    )
    return document_of(
        case.zone,
        settings.get("domain", "clinic.example.jp"),
        selectors=settings.get("selectors", ()),
        said=said,
        policies=("hospital", *settings.get("policies", ())),
        as_of=settings.get("as_of", AS_OF),
    )


@cache
def all_documents() -> dict[str, Document]:
    """A document for every case of every specification page, and for worlds in which there is nothing to see."""
    documents = {f"{case.rule_id} {case.kind}: {case.title}": document_of_case(case) for case in CASES}
    documents["nothing exists"] = document_of("jp NS ns.example")
    documents["only the domain exists"] = document_of("clinic.example.jp A 192.0.2.1")
    documents["everything is denied"] = document_of("")
    for status in ("!timeout", "!servfail", "!refused", "!error"):
        documents[f"everything {status}"] = document_of(
            "\n".join(f"{owner} * {status}" for owner in ("clinic.example.jp", "example.jp", "jp", *below()))
        )
    return documents


def below() -> list[str]:
    """Names under the domain that an audit asks for."""
    labels = ("_dmarc", "_domainkey", f"{PROBE}._domainkey", PROBE, f"_dmarc.{PROBE}", "www", "mail")
    return [f"{label}.clinic.example.jp" for label in labels] + [
        "*.clinic.example.jp",
        "_dmarc.example.jp",
        "_dmarc.jp",
    ]
