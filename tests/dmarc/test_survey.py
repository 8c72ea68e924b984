"""The DMARC part of an audit: what is asked, and what is made of the answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.dmarc.discovery import Effective, Outcome
from mailguard.dmarc.survey import DmarcStatus, DmarcSurvey, WrongPlace, survey_dmarc
from mailguard.inquiry import Answer, Question, RRType, Status, Txt, run
from mailguard.names import name
from tests.zones import Zone

REJECT, QUARANTINE, NONE = Outcome.REJECT, Outcome.QUARANTINE, Outcome.NONE
ABSENT, UNANSWERED = Outcome.ABSENT, Outcome.UNANSWERED


def survey(*lines: str, domain: str = "clinic.example.jp") -> DmarcSurvey:
    return run(survey_dmarc(name(domain)), Zone.parse("\n".join(lines)))


def test_an_ordinary_domain_costs_four_questions() -> None:
    zone = Zone.parse('_dmarc.clinic.example.jp TXT "v=DMARC1; p=reject; rua=mailto:a@clinic.example.jp"')
    seen = run(survey_dmarc(name("clinic.example.jp")), zone)
    assert sorted(str(question) for question in zone.asked) == [
        "_dmarc.clinic.example.jp TXT",
        "_dmarc.example.jp TXT",
        "_dmarc.jp TXT",
        "clinic.example.jp TXT",
    ]
    assert (seen.status, seen.policy_domain, seen.organizational_domain) == (
        DmarcStatus.VALID,
        "clinic.example.jp",
        "clinic.example.jp",
    )
    assert seen.effective == Effective(REJECT, REJECT, REJECT)


def test_no_record() -> None:
    seen = survey('clinic.example.jp TXT "v=spf1 -all"')
    assert (seen.status, seen.record, seen.effective) == (DmarcStatus.NONE, None, Effective(ABSENT, ABSENT, ABSENT))


@pytest.mark.parametrize(
    "record",
    ["v=dmarc1; p=none", "v=DMARC1", "v=DMARC1; p=reject; sp=x", "p=none", "v=DMARC1; rua=mailto:a@clinic.example.jp"],
)
def test_unusable_records_are_invalid(record: str) -> None:
    assert survey(f'_dmarc.clinic.example.jp TXT "{record}"').status is DmarcStatus.INVALID


def test_two_records_are_invalid() -> None:
    record = '_dmarc.clinic.example.jp TXT "v=DMARC1; p={}"'
    assert survey(record.format("none"), record.format("reject")).status is DmarcStatus.INVALID


def test_character_strings_are_joined_with_nothing_between() -> None:
    assert survey('_dmarc.clinic.example.jp TXT "v=DMARC1; p=rej" "ect"').effective.domain is REJECT


def test_other_texts_at_the_name_do_no_harm() -> None:
    lines = ('_dmarc.clinic.example.jp TXT "hello"', '_dmarc.clinic.example.jp TXT "v=DMARC1; p=reject"')
    assert survey(*lines).status is DmarcStatus.VALID


def test_an_alias_is_followed() -> None:
    lines = ("_dmarc.clinic.example.jp CNAME dmarc.example.net", 'dmarc.example.net TXT "v=DMARC1; p=quarantine"')
    assert survey(*lines).effective.domain is QUARANTINE


def test_subdomains_of_a_subdomain_belong_to_the_organizational_domain() -> None:
    seen = survey(
        '_dmarc.clinic.example.jp TXT "v=DMARC1; p=reject; sp=reject"',
        '_dmarc.example.jp TXT "v=DMARC1; p=quarantine; sp=none; np=quarantine"',
    )
    assert seen.effective == Effective(REJECT, NONE, QUARANTINE)


def test_an_inherited_record_asks_what_it_asks_for_subdomains() -> None:
    lines = ('_dmarc.example.jp TXT "v=DMARC1; p=none; sp=quarantine; np=reject"',)
    there = survey("clinic.example.jp A 192.0.2.1", *lines)
    assert (there.inherited, there.effective) == (True, Effective(QUARANTINE, QUARANTINE, REJECT))
    not_there = survey(*lines)
    assert not_there.effective.domain is REJECT
    unknown = survey("clinic.example.jp TXT !timeout", *lines)
    assert unknown.effective == Effective(UNANSWERED, QUARANTINE, REJECT)


def test_a_domain_of_eight_labels_is_never_asked_for_its_subdomains() -> None:
    deep = "a.b.c.d.e.f.example.jp"
    seen = survey(f'_dmarc.{deep} TXT "v=DMARC1; p=reject"', domain=deep)
    assert seen.effective == Effective(REJECT, ABSENT, ABSENT)
    seven = deep[2:]
    assert survey(f'_dmarc.{seven} TXT "v=DMARC1; p=reject"', domain=seven).effective == Effective(*[REJECT] * 3)


def test_places_where_a_record_ends_up_by_mistake() -> None:
    seen = survey(
        'clinic.example.jp TXT "v=DMARC1; p=none"',
        'dmarc.clinic.example.jp TXT "v=DMARC1; p=quarantine"',
        '_dmarc.clinic.example.jp.clinic.example.jp TXT "v=DMARC1; p=reject"',
    )
    assert [found.place for found in seen.misplaced] == [WrongPlace.APEX, WrongPlace.NO_UNDERSCORE, WrongPlace.DOUBLED]


def test_what_was_not_answered_stays_unanswered() -> None:
    seen = survey("_dmarc.clinic.example.jp TXT !timeout")
    assert (seen.status, seen.effective) == (
        DmarcStatus.UNANSWERED,
        Effective(UNANSWERED, UNANSWERED, UNANSWERED),
    )
    above = survey('_dmarc.clinic.example.jp TXT "v=DMARC1; p=reject"', "_dmarc.jp TXT !servfail")
    assert above.status is DmarcStatus.VALID
    assert above.effective == Effective(REJECT, UNANSWERED, UNANSWERED)
    assert above.organizational_domain is None


_STATUSES = st.sampled_from(list(Status))
_DATA = st.lists(st.lists(st.binary(max_size=60), min_size=1, max_size=3).map(tuple).map(Txt), min_size=1, max_size=3)
_LIKELY = st.sampled_from(
    [
        b"v=DMARC1; p=reject; rua=mailto:a@other.example",
        b"v=DMARC1; psd=y; p=none; rua=mailto:a@\xff,mailto:b@a.b.c.d.e.f.g.h.i.example!1",
        b"v=DMARC1",
        b"v=dmarc1",
    ]
).map(lambda text: [Txt((text,))])


@given(st.data(), st.integers(1, 12))
def test_never_raises_and_never_asks_more_than_it_says(data: st.DataObject, depth: int) -> None:
    asked: set[Question] = set()

    def source(question: Question) -> Answer:
        asked.add(question)
        assert question.rrtype is RRType.TXT
        assert question.name.is_askable
        status = data.draw(_STATUSES)
        records = tuple(data.draw(_LIKELY | _DATA)) if status is Status.DATA else ()
        return Answer(question, status, records)

    seen = run(survey_dmarc(name(".".join(["x"] * depth))), source)
    assert len(asked) <= 57
    assert seen.status in DmarcStatus
