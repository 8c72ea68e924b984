"""Lights are green only for what was seen."""

from __future__ import annotations

import pytest

from mailguard.guidebook.blocks import Tone
from mailguard.guidebook.signals import Harm, Light, harms, three_lights
from mailguard.render.phrases import SCOPES
from mailguard.traffic import SourceClass
from tests.guidebook.cases import source, traffic
from tests.render.documents import all_documents
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


def test_a_seal_that_nobody_named_is_not_a_missing_seal() -> None:
    document = {**documents()["watching"], "dkim": {"status": "unknown", "selectors": []}}
    shown = three_lights(document, None)[1]
    assert (shown.tone, shown.why) == (Tone.UNKNOWN, "spf-alone")
