"""Seeing DKIM from outside: what is present, what is absent, and what nobody can know."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.dkim.selectors import MAX_GUESSES, MAX_SELECTORS, choose, selector_of
from mailguard.dkim.survey import (
    Candidate,
    DkimStatus,
    DkimSurvey,
    SelectorOrigin,
    SelectorStatus,
    survey_dkim,
)
from mailguard.inquiry import Answer, Mx, Question, Status, Txt, run
from mailguard.names import name
from tests.dkim.keys import record, spki, zone_txt
from tests.zones import Zone

DOMAIN = name("clinic.example.jp")
PROBE = "mailguard-probe-0001"
GOOD = record(spki(2048))


def key(selector: str, octets: bytes = GOOD) -> str:
    return zone_txt(f"{selector}._domainkey.clinic.example.jp", octets)


def survey(text: str, *selectors: str, origin: SelectorOrigin = SelectorOrigin.USER) -> DkimSurvey:
    return take(Zone.parse(text), *selectors, origin=origin)


def take(zone: Zone, *selectors: str, origin: SelectorOrigin = SelectorOrigin.USER) -> DkimSurvey:
    return run(survey_dkim(DOMAIN, [Candidate(each, origin) for each in selectors], PROBE), zone)


def seen(taken: DkimSurvey) -> dict[str, str]:
    return {facts.selector: str(facts.status) for facts in taken.told}


def test_a_guessed_key_makes_dkim_present() -> None:
    taken = survey(key("default"))
    assert (taken.status, seen(taken)) == (DkimStatus.PRESENT, {"default": "ok"})


def test_a_denied_parent_means_absent_and_spares_the_guesses() -> None:
    zone = Zone.parse("clinic.example.jp MX 10 mail.clinic.example.jp")
    assert take(zone).status is DkimStatus.ABSENT
    assert zone.asked.total() == 6


def test_failed_guesses_are_unknown_never_absent() -> None:
    taken = survey(key("rs20240124"))
    assert (taken.status, seen(taken)) == (DkimStatus.UNKNOWN, {})


def test_a_named_selector_is_asked_even_below_a_denied_parent() -> None:
    taken = survey("clinic.example.jp A 192.0.2.1", "rs20240124")
    assert (taken.status, seen(taken)) == (DkimStatus.ABSENT, {"rs20240124": "absent"})


@pytest.mark.parametrize(
    ("octets", "status"),
    [
        (record(spki(512)), SelectorStatus.TOO_SHORT),
        (record(spki(1024)), SelectorStatus.WEAK),
        (record(spki(2048), "v=DKIM1; t=y"), SelectorStatus.TESTING),
        (b"v=DKIM1; p=", SelectorStatus.REVOKED),
        (b"v=DKIM1; p=nonsense!", SelectorStatus.INVALID),
        (b"v=spf1 -all", SelectorStatus.INVALID),
    ],
)
def test_what_lies_at_a_selector(octets: bytes, status: SelectorStatus) -> None:
    taken = survey(key("default", octets))
    assert seen(taken) == {"default": status}
    assert taken.status is (DkimStatus.PRESENT if status.is_usable else DkimStatus.UNKNOWN)


@pytest.mark.parametrize("failure", ["!timeout", "!servfail", "!refused", "!error"])
def test_no_answer_is_unanswered(failure: str) -> None:
    taken = survey(f"_domainkey.clinic.example.jp TXT {failure}")
    assert taken.status is DkimStatus.UNANSWERED


def test_a_silent_server_is_not_asked_two_dozen_times_more() -> None:
    zone = Zone.parse(f"_domainkey.clinic.example.jp * !timeout\n{PROBE}._domainkey.clinic.example.jp * !timeout")
    assert take(zone).status is DkimStatus.UNANSWERED
    assert zone.asked.total() == 6


def test_a_named_selector_without_an_answer_is_not_absent() -> None:
    taken = survey("s9._domainkey.clinic.example.jp TXT !timeout", "s9")
    assert seen(taken) == {"s9": "unanswered"}
    assert taken.status is DkimStatus.UNANSWERED


def test_without_the_control_answer_absence_is_not_claimed() -> None:
    class Shy(Zone):
        def __call__(self, question: Question) -> Answer:
            if question.name.startswith(PROBE):
                return Answer(question, Status.TIMEOUT)
            return super().__call__(question)

    assert take(Shy()).status is DkimStatus.UNANSWERED


def test_a_dangling_alias_is_not_absence_of_dkim() -> None:
    taken = survey("selector1._domainkey.clinic.example.jp CNAME gone.example.net")
    (facts,) = taken.told
    assert (facts.selector, facts.status, facts.is_dangling) == ("selector1", SelectorStatus.ABSENT, True)
    assert taken.status is DkimStatus.UNKNOWN


def test_an_alias_to_a_provider_is_followed() -> None:
    text = "selector1._domainkey.clinic.example.jp CNAME k.example.net\n" + zone_txt("k.example.net", GOOD)
    assert seen(survey(text)) == {"selector1": "ok"}


def test_an_aliased_parent_denies_nothing() -> None:
    """NXDOMAIN behind a CNAME says that the target is missing, not the name that was asked for."""
    taken = survey("_domainkey.clinic.example.jp CNAME gone.example.net")
    assert taken.below.status is Status.NXDOMAIN
    assert taken.status is DkimStatus.UNKNOWN


def test_a_server_that_denies_empty_nonterminals_does_not_hide_a_usual_selector() -> None:
    class Denying(Zone):
        def __call__(self, question: Question) -> Answer:
            answer = super().__call__(question)
            if question.name == "_domainkey.clinic.example.jp":
                return Answer(question, Status.NXDOMAIN)
            return answer

    zone = Denying.parse(key("google") + "\n" + key("mail"))
    taken = take(zone)
    assert taken.status is DkimStatus.PRESENT
    assert taken.denies_parent_of_keys
    assert seen(taken) == {"google": "ok", "mail": "ok"}


def test_a_wildcard_revocation_is_no_key_at_every_guess() -> None:
    taken = survey('*._domainkey.clinic.example.jp TXT "v=DKIM1; p="')
    assert (taken.status, seen(taken)) == (DkimStatus.UNKNOWN, {})
    assert taken.wildcard is not None
    assert taken.wildcard.revoked


def test_a_key_beside_a_wildcard_revocation_is_found() -> None:
    taken = survey('*._domainkey.clinic.example.jp TXT "v=DKIM1; p="\n' + key("mail"))
    assert seen(taken) == {"mail": "ok"}


def test_a_wildcard_for_spf_is_no_broken_key() -> None:
    taken = survey('*.clinic.example.jp TXT "v=spf1 -all"', "mine")
    assert (taken.status, seen(taken)) == (DkimStatus.UNKNOWN, {"mine": "absent"})
    assert taken.wildcard is None


def test_of_several_records_the_usable_one_counts_whatever_the_order() -> None:
    for lines in ([key("default"), key("default", b"v=DKIM1; p=")], [key("default", b"v=DKIM1; x"), key("default")]):
        (facts,) = survey("\n".join(lines)).told
        assert len(facts.records) == 2
    assert seen(survey("\n".join(lines))) == {"default": "ok"}


@pytest.mark.parametrize(
    ("typed", "selector"),
    [
        ("Selector1", "selector1"),
        (" google ", "google"),
        ("s1._domainkey.clinic.example.jp.", "s1"),
        ("a.b", "a.b"),
        ("テスト", "xn--zckzah"),
        ("", ""),
    ],
)
def test_what_users_type_as_a_selector(typed: str, selector: str) -> None:
    assert selector_of(typed) == selector


def test_a_selector_too_long_to_ask_is_unanswered() -> None:
    taken = survey(key("default"), "x" * 64)
    assert seen(taken)["x" * 64] == "unanswered"
    assert taken.told[0].answer.note == "unaskable"


@given(st.lists(st.tuples(st.text(max_size=70), st.sampled_from(SelectorOrigin)), max_size=80))
def test_never_more_questions_than_the_bound(given_selectors: list[tuple[str, SelectorOrigin]]) -> None:
    candidates = [Candidate(selector, origin) for selector, origin in given_selectors]
    known, guesses = choose(tuple(candidates))
    assert len(known) + len(guesses) <= MAX_SELECTORS
    assert len(guesses) <= MAX_GUESSES
    zone = Zone.parse("x._domainkey.clinic.example.jp A 192.0.2.1")
    run(survey_dkim(DOMAIN, candidates, PROBE), zone)
    assert zone.asked.total() <= MAX_SELECTORS + 2
    assert max(zone.asked.values()) == 1


def test_users_come_before_providers_when_the_bound_bites() -> None:
    providers = [Candidate(f"p{number}", SelectorOrigin.PROVIDER) for number in range(60)]
    known, guesses = choose((*providers, Candidate("mine", SelectorOrigin.USER)))
    assert known[0] == Candidate("mine", SelectorOrigin.USER)
    assert (len(known), len(guesses)) == (MAX_SELECTORS, 0)


@given(st.randoms(use_true_random=False), st.binary(max_size=80))
def test_a_hostile_server_never_makes_it_raise(random: object, octets: bytes) -> None:
    def source(question: Question) -> Answer:
        status = random.choice(list(Status))  # type: ignore[attr-defined]
        records = random.choice([(), (Txt((octets,)),), (Txt(()), Txt((GOOD,))), (Mx(0, name("")), "junk")])  # type: ignore[attr-defined]
        aliases = random.choice([(), (name("loop.example"),) * 3])  # type: ignore[attr-defined]
        return Answer(question, status, records, aliases)

    taken = run(survey_dkim(DOMAIN, [Candidate("x", SelectorOrigin.USER)], PROBE), source)
    assert taken.status in DkimStatus
    assert all(facts.status in SelectorStatus for facts in taken.selectors)
