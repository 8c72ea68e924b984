"""Nobody is hurried without a reason: letters and pages speak of haste only where waiting lets harm happen."""

from __future__ import annotations

import re

import pytest

from mailguard.guidebook.letters import Moment, make_letters
from mailguard.guidebook.tasks import Work
from mailguard.guidebook.telling import plan_of
from tests.guidebook.cases import case_of
from tests.guidebook.test_claims import statements
from tests.render.documents import all_documents

HASTE = {
    "ja": re.compile(r"すぐに|至急|直ちに|ただちに|早急|速やか|今すぐ|いますぐ|一刻も"),
    "en": re.compile(r"\b(at once|immediately|right away|promptly|without delay|as soon as possible|urgent)\b", re.I),
}
CALM = re.compile(r"not urgent|「至急」|今すぐ困ることはありません|\"urgent\"", re.I)

JUSTIFIED = {
    "DKIM002": "the private key is known to everybody, so that anybody can sign in our name",
    "DKIM003": "how fast a number can be taken apart",
    "ZONE002": "genuine mail of the hospital is refused until it is done",
    "ZONE014": "going back: mail that is lost until it is done",
    "ZONE015": "going back: mail that is lost until it is done",
    "ZONE019": "how soon those who write hear that nobody reads it",
    "ADDR001": "where it cannot be done soon, what to do instead",
    "booklet-4-tools": "asks why one does not go to refusal in one step",
    "incident-spoofed": "warns of going to refusal in one step",
    "incident-undelivered": "what touches care goes by telephone",
    "incident.calm-care": "what touches care goes by telephone",
    "notice-takeover-partners": "an account that strangers use",
    "training-act": "an attachment that was opened",
}
"""Where words of haste may stand, and why."""


@pytest.mark.parametrize("language", ["ja", "en"])
def test_nobody_is_hurried_without_a_reason(language: str) -> None:
    assert {one for one in hurried(language) if one[0] not in JUSTIFIED} == set()


def test_every_reason_is_needed() -> None:
    assert JUSTIFIED.keys() - {place for language in HASTE for place, _ in hurried(language)} == set()


def hurried(language: str) -> set[tuple[str, str]]:
    return {
        (place, sentence.strip())
        for place, sentence in statements(language)
        if HASTE[language].search(CALM.sub("", sentence)) and not place.startswith("training.")
    }


def test_a_company_is_not_asked_to_list_senders_that_only_the_hospital_knows() -> None:
    stories = {story: document for story, document in all_documents().items() if story.startswith("SPF046 fires")}
    assert stories
    for document in stories.values():
        case = case_of(document)
        requests = [request for letter in make_letters(case, plan_of(case)) for request in letter.requests]
        (zone,) = (request for request in requests if request.task.work is Work.CORRECT_ZONE)
        assert zone.moment is Moment.AFTER
        assert Work.LIST_SENDERS in {task.work for task in zone.first}
