"""Corrected records: exact texts, and that the finding is gone once the text is published."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.dmarc.edit import canonical, corrected, place, propose, rewrite, tightens
from mailguard.dmarc.nearmiss import near_miss
from mailguard.dmarc.record import Policy, Record, parse_record
from mailguard.dmarc.survey import DmarcSurvey, survey_dmarc
from mailguard.dossier import Dossier
from mailguard.inquiry import Txt, run
from mailguard.names import DomainName, name
from mailguard.rules.catalogue import CHECKS, RULES
from tests.test_specs import CASES, Case, dossier_of
from tests.zones import Zone


def record_of(text: str) -> Record:
    record = parse_record(text)
    assert record is not None
    return record


def survey(*lines: str) -> DmarcSurvey:
    return run(survey_dmarc(name("clinic.example.jp")), Zone.parse("\n".join(lines)))


def test_canonical_form() -> None:
    record = record_of("V = DMARC1 ;; rua=mailto:a@example.jp;P=Reject; pct=100; hello; x=1; p=none; sp=;")
    assert canonical(record) == "v=DMARC1; p=none; rua=mailto:a@example.jp; pct=100; x=1"


def test_one_tag_changed_added_removed() -> None:
    record = record_of("v=DMARC1; p=reject; sp=none; rua=mailto:a@example.jp")
    assert rewrite(record, {"p": "none"}) == "v=DMARC1; p=none; sp=none; rua=mailto:a@example.jp"
    assert rewrite(record, {"t": "y"}) == "v=DMARC1; p=reject; sp=none; rua=mailto:a@example.jp; t=y"
    assert rewrite(record, remove=("sp",)) == "v=DMARC1; p=reject; rua=mailto:a@example.jp"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v=dmarc1; p=reject; rua=mailto:a@example.jp", "v=DMARC1; p=reject; rua=mailto:a@example.jp"),
        ("v=DMARC2;p=none", "v=DMARC1; p=none"),
        ('"v=DMARC1; p=none"', "v=DMARC1; p=none"),
        ("v=DMARC1\\; p=none", "v=DMARC1; p=none"),
        ("ｖ＝ＤＭＡＲＣ１；ｐ＝none", "v=DMARC1; p=none"),
        (" v=DMARC1; p=none", "v=DMARC1; p=none"),
        ("v=DMARC1 p=none rua=mailto:a@example.jp", "v=DMARC1; p=none; rua=mailto:a@example.jp"),
        ("v=DMARC1, p=none", "v=DMARC1; p=none"),
        ("v:DMARC1; p=none", "v=DMARC1; p=none"),
        ("p=none; v=DMARC1", "v=DMARC1; p=none"),
        ("p=none; rua=mailto:a@example.jp", "v=DMARC1; p=none; rua=mailto:a@example.jp"),
        ("v=dmarc1", None),
        ("v=dmarc1; p=what", None),
    ],
)
def test_near_misses_corrected(text: str, expected: str | None) -> None:
    assert near_miss(text) is not None
    assert corrected(text) == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("v=DMARC1; p=none", "v=DMARC1; p=quarantine", True),
        ("v=DMARC1; p=reject", "v=DMARC1; p=none", False),
        ("v=DMARC1; p=reject; sp=none", "v=DMARC1; p=reject", True),
        ("v=DMARC1; p=reject; np=none", "v=DMARC1; p=reject", True),
        ("v=DMARC1; p=reject; t=y", "v=DMARC1; p=reject", True),
        ("v=DMARC1; p=reject; t=y", "v=DMARC1; p=quarantine", False),
        # By RFC 9989 nothing changes; RFC 7489 receivers become stricter.
        ("v=DMARC1; p=reject; pct=10", "v=DMARC1; p=reject", True),
        ("v=DMARC1; p=reject; pct=0", "v=DMARC1; p=reject", True),
        ("v=DMARC1; p=reject; pct=100", "v=DMARC1; p=reject", False),
        ("v=DMARC1; p=reject; pct=0", "v=DMARC1; p=reject; pct=0; t=y", False),
        # A record demoted by an invalid sp asks for nothing, so its repair tightens.
        ("v=DMARC1; p=reject; sp=x", "v=DMARC1; p=reject", True),
        ("v=DMARC1; p=none; adkim=r", "v=DMARC1; p=none; adkim=s", True),
        (None, "v=DMARC1; p=none", False),
        (None, "v=DMARC1; p=quarantine", True),
        ("v=DMARC1; p=none", "no record", False),
    ],
)
def test_tightens(before: str | None, after: str, expected: bool) -> None:
    assert tightens(before, after) is expected


def test_proposals_are_exact() -> None:
    shown = survey('_dmarc.clinic.example.jp TXT "v=DMARC1; rua=a@clinic.example.jp; p=reject; sp=rejct; ri=3600"')
    assert propose("DMARC003", shown) == "v=DMARC1; p=reject; rua=a@clinic.example.jp; ri=3600"
    assert propose("DMARC042", shown) == "v=DMARC1; p=reject; sp=rejct; rua=mailto:a@clinic.example.jp; ri=3600"
    assert propose("DMARC001", survey()) == "v=DMARC1; p=none; rua=mailto:dmarc-reports@clinic.example.jp"
    assert propose("DMARC058", shown) is None
    assert propose("SPF001", shown) is None


def test_a_misspelt_policy_is_guessed_only_where_it_is_close() -> None:
    assert propose("DMARC005", survey('_dmarc.clinic.example.jp TXT "v=DMARC1; p=rejct"')) == "v=DMARC1; p=reject"
    assert propose("DMARC005", survey('_dmarc.clinic.example.jp TXT "v=DMARC1; p=block"')) == "v=DMARC1; p=none"


_NO_DERIVATION = {
    # What has to change stands elsewhere, or needs somebody's knowledge.
    "DMARC018": "the other texts are deleted, the record stays",
    "DMARC032": "which of the two outcomes is wanted",
    "DMARC046": "which destinations matter",
    "DMARC048": "the destination's host consents",
    "DMARC049": "the destination's host corrects its consent",
    "DMARC050": "another destination",
    "DMARC054": "whether the hospital wants a record of its own",
    "DMARC055": "which names below send mail",
    "DMARC058": "an answer, not a record",
    "DMARC059": "intended or not",
}
_OWN_NAME_ONLY = {
    "a hospital under the city's domain",
    "inherited",
    "inherited as none",
    "two at the domain above, none here",
}
_CURED = [
    case
    for case in CASES
    if case.kind == "fires" and case.rule_id.startswith("DMARC") and case.rule_id not in _NO_DERIVATION
]


@pytest.mark.parametrize("case", _CURED, ids=lambda case: f"{case.rule_id}-{case.title}")
def test_the_finding_is_gone_once_the_proposal_is_published(case: Case) -> None:
    dossier = dossier_of(case)
    proposal = propose(case.rule_id, dossier.survey.dmarc)
    if proposal is None:
        pytest.skip("nothing can be derived from what was published")
    at = place(case.rule_id, dossier.survey.dmarc).child("_dmarc")
    after = audited_again(case, at, proposal)
    assert list(CHECKS[RULES[case.rule_id]](after)) == []


def audited_again(case: Case, at: DomainName, proposal: str) -> Dossier:
    """The case with ``proposal`` as the only TXT record at ``at``."""
    zone = Zone.parse(case.zone)
    zone.records.pop((at, "CNAME"), None)
    zone.records[at, "TXT"] = [Txt((proposal.encode(),))]
    before = dossier_of(case)
    again = run(survey_dmarc(before.survey.domain), zone)
    return Dossier(before.expectation, _with_dmarc(before, again), datetime(2026, 11, 22, tzinfo=UTC))


def _with_dmarc(before: Dossier, dmarc: DmarcSurvey) -> object:
    from dataclasses import replace

    return replace(before.survey, dmarc=dmarc)


def test_every_rule_proposes_or_says_why_not() -> None:
    proposing = {case.rule_id for case in _CURED if propose(case.rule_id, dossier_of(case).survey.dmarc) is not None}
    rules = {rule_id for rule_id in RULES if rule_id.startswith("DMARC")}
    assert rules - proposing == set(_NO_DERIVATION)


def test_the_guides_name_every_rule() -> None:
    pages = Path(__file__).parents[1] / "specs"
    assert {page.stem for page in pages.glob("DMARC*.md")} == {r for r in RULES if r.startswith("DMARC")}


@given(st.text('vDMARC1dmarc=;: ,p“"\\nonerjctqua\u3000＝', max_size=60))
def test_corrections_are_records_and_never_raise(text: str) -> None:
    fixed = corrected(text)
    if fixed is not None:
        record = record_of(fixed)
        assert record.p in Policy
        assert canonical(record) == fixed


@given(st.text("psnrua=;: ,none:rejctquamilto@!%2C", max_size=80))
def test_no_proposal_raises(text: str) -> None:
    shown = survey(f'_dmarc.clinic.example.jp TXT "v=DMARC1; {text}"')
    for rule_id in RULES:
        proposal = propose(rule_id, shown)
        assert proposal is None or parse_record(proposal) is not None
