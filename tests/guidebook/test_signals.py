"""Lights are green only for what was seen."""

from __future__ import annotations

import pytest

from mailguard.guidebook.blocks import Tone
from mailguard.guidebook.signals import Decision, Harm, Light, decision, harms, three_lights
from mailguard.guidebook.telling import plan_of
from mailguard.render.document import Document
from mailguard.render.phrases import SCOPES
from mailguard.traffic import SourceClass
from tests.guidebook.cases import case_of, source, traffic
from tests.render.documents import all_documents, document_of
from tests.render.test_golden import documents


@pytest.mark.parametrize("story", sorted(all_documents()))
def test_no_light_is_green_for_what_was_not_answered(story: str) -> None:
    document = all_documents()[story]
    fakes, own, sight = three_lights(document, None)
    verdicts = {document["spoofable"][scope] for scope in SCOPES}
    assert (fakes.tone is Tone.GOOD) == (verdicts == {"no"})
    if document["spoofable"]["domain"] == "unknown":
        assert fakes.tone is Tone.UNKNOWN
    if "unanswered" in (document["spf"]["status"], document["dkim"]["status"]) and own.why not in ("unused",):
        assert own.tone is not Tone.GOOD
    assert sight.tone is not Tone.GOOD, "nobody has seen a report"
    assert 1 <= len(harms(document, (fakes, own, sight))) <= 3


@pytest.mark.parametrize("story", sorted(all_documents()))
def test_harm_is_told_where_it_is_possible_and_only_there(story: str) -> None:
    document = all_documents()[story]
    told = set(harms(document, three_lights(document, None)))
    can = document["spoofable"]["domain"] == "yes"
    assert bool(told & {Harm.FAKE_NOTICES, Harm.FAKE_BILLS, Harm.FAKE_OFFERS}) == can
    if Harm.NONE_SEEN in told:
        assert told == {Harm.NONE_SEEN}
        assert {document["spoofable"][scope] for scope in SCOPES} == {"no"}


def test_the_usual_domains() -> None:
    tones = {story: [one.tone for one in three_lights(document, None)] for story, document in documents().items()}
    assert tones == {
        "perfect": [Tone.GOOD, Tone.GOOD, Tone.UNKNOWN],
        "watching": [Tone.ACT, Tone.GOOD, Tone.CARE],
        "parked": [Tone.GOOD, Tone.CARE, Tone.CARE],
        "broken": [Tone.ACT, Tone.ACT, Tone.CARE],
        "unanswered": [Tone.UNKNOWN, Tone.UNKNOWN, Tone.UNKNOWN],
    }


def test_reports_tell_of_own_mail_that_does_not_pass() -> None:
    ours = source("192.0.2.10", 90, 90, SourceClass.ALIGNED)
    stranger = source("203.0.113.9", 500, 0, SourceClass.UNKNOWN)
    failing = source("192.0.2.20", 10, 0, SourceClass.LISTED)
    document = documents()["watching"]
    good = three_lights(document, traffic(ours, stranger))[1]
    assert (good.light, good.tone, good.messages, good.failed) == (Light.OWN_MAIL, Tone.GOOD, 90, 0)
    bad = three_lights(document, traffic(ours, failing, stranger))[1]
    assert (bad.tone, bad.messages, bad.failed) == (Tone.CARE, 100, 10)
    assert three_lights(document, traffic(stranger))[1].tone is Tone.UNKNOWN
    assert three_lights(document, traffic(ours))[1].why == "reported"


def test_a_green_light_says_what_could_not_be_told_to_be_ours() -> None:
    """A service that nobody listed looks like a stranger: its mail must not vanish behind a green light."""
    ours = source("192.0.2.10", 100, 99, SourceClass.PARTLY)
    nobody_listed = source("203.0.113.9", 40, 0, SourceClass.UNKNOWN)
    shown = three_lights(documents()["watching"], traffic(ours, nobody_listed))[1]
    assert (shown.tone, shown.why, shown.failed, shown.others) == (Tone.GOOD, "reported-others", 1, 40)


def test_a_seal_that_nobody_named_is_not_a_missing_seal() -> None:
    document = {**documents()["watching"], "dkim": {"status": "unknown", "selectors": []}}
    shown = three_lights(document, None)[1]
    assert (shown.tone, shown.why) == (Tone.UNKNOWN, "spf-alone")


def wanted(document: Document) -> Decision:
    return decision(document, plan_of(case_of(document)))


@pytest.mark.parametrize("story", sorted(all_documents()))
def test_where_others_can_pose_as_us_more_is_asked_for_than_to_keep_watching(story: str) -> None:
    document = all_documents()[story]
    lights = three_lights(document, None)
    if any(light.tone is Tone.ACT for light in lights):
        assert wanted(document) is not Decision.KEEP


def test_a_name_that_is_not_there_is_to_be_checked() -> None:
    assert wanted(all_documents()["nothing exists"]) is Decision.CHECK_NAME


def test_what_was_waived_is_to_be_decided_about_again() -> None:
    watching = documents()["watching"]
    waived = {"until": "2027-03-31", "reason": "our provider changes in spring", "expired": False}
    findings = [{**finding, "waived": waived} for finding in watching["findings"]]
    assert wanted({**watching, "findings": findings}) is Decision.REVIEW


def test_a_fault_in_the_record_of_the_domain_above_is_for_those_above() -> None:
    zone = """
    clinic.example.jp        A    192.0.2.1
    _dmarc.clinic.example.jp TXT  "v=DMARC1; p=none; rua=dmarc@clinic.example.jp"
    hp.clinic.example.jp     MX   10 mx.clinic.example.jp
    hp.clinic.example.jp     TXT  "v=spf1 ip4:192.0.2.1 -all"
    mx.clinic.example.jp     A    192.0.2.1
    """
    document = document_of(zone, "hp.clinic.example.jp")
    assert "record-of-others" in {
        reason for one in document["findings"] if one["fix"] for reason in one["fix"]["reasons"]
    }
    assert wanted(document) is not Decision.KEEP
