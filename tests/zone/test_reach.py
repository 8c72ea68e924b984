"""A server that denies everything: what it says does not exist is not believed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.dkim.survey import DkimStatus
from mailguard.dmarc.survey import DmarcStatus
from mailguard.dossier import Dossier, Expectation
from mailguard.inquiry import Answer, Question, RRType, Status, run
from mailguard.names import DomainName, name
from mailguard.rules.catalogue import find
from mailguard.spf.survey import SpfStatus
from mailguard.survey import Survey, take_survey
from mailguard.verdict import Verdict, judge_spoofing
from mailguard.zone.survey import MxStatus
from tests.render.documents import AS_OF, document_of
from tests.zones import Zone

CLINIC = name("clinic.example.jp")
TOP = "jp NS ns.example\n"
SILENT = [Status.TIMEOUT, Status.SERVFAIL, Status.REFUSED, Status.ERROR, Status.NOT_ASKED]
DOMAINS = [
    "clinic.example.jp",
    "example.jp",
    "co.jp",
    "jp",
    "example.com",
    "com",
    "example.local",
    "a.b.c.d.e.example.jp",
]


def survey_in(zone: str | Zone, domain: DomainName = CLINIC) -> Survey:
    world = Zone.parse(zone) if isinstance(zone, str) else zone
    return run(take_survey(domain, probe_label="probe"), world)


def asked_for(zone: str, domain: DomainName = CLINIC) -> set[str]:
    world = Zone.parse(zone)
    survey_in(world, domain)
    return {str(question) for question in world.asked}


def judgements(survey: Survey) -> set[str]:
    spoofable = judge_spoofing(survey)
    return {spoofable.domain, spoofable.subdomain, spoofable.nonexistent_subdomain}


def test_a_server_that_denies_everything_is_not_believed() -> None:
    survey = survey_in("")
    assert survey.is_cut_off
    assert survey.spf.status is SpfStatus.UNANSWERED
    assert survey.dmarc.status is DmarcStatus.UNANSWERED
    assert survey.dkim.status is DkimStatus.UNANSWERED
    assert survey.zone.mx_status is MxStatus.UNANSWERED
    assert not survey.zone.is_missing


@given(st.sampled_from(DOMAINS), st.data())
def test_no_verdict_rests_on_denials_alone(domain: str, data: st.DataObject) -> None:
    """Whatever such a server leaves unanswered besides."""
    said: dict[Question, Status] = {}

    def source(question: Question) -> Answer:
        if question not in said:
            said[question] = data.draw(st.sampled_from([Status.NXDOMAIN, Status.NXDOMAIN, *SILENT]))
        return Answer(question, said[question])

    survey = run(take_survey(name(domain), probe_label="probe"), source)
    assert judgements(survey) == {Verdict.UNKNOWN}
    assert not list(find(Dossier(Expectation(), survey, AS_OF)))


@pytest.mark.parametrize("status", ["!timeout", "!servfail", "!refused", "!error"])
def test_silence_about_the_top_level_domain_proves_nothing(status: str) -> None:
    assert survey_in(f"jp NS {status}").is_cut_off


def test_a_root_of_its_own_with_a_zone_below_the_same_top_level_domain_proves_nothing() -> None:
    """Then ``jp`` exists there, without data."""
    assert survey_in("intranet.jp A 192.0.2.1").is_cut_off


def test_a_zone_for_inside_that_bears_the_public_name_shows_no_absence_to_the_outside() -> None:
    inside = """
        clinic.example.jp  MX  10 mail.clinic.example.jp
        clinic.example.jp  TXT "v=spf1 mx -all"
        example.jp         NS  !nxdomain
    """
    survey = survey_in(inside)
    assert survey.is_cut_off
    assert survey.zone.mx_status is MxStatus.HOSTS
    assert survey.dmarc.status is DmarcStatus.UNANSWERED
    assert judgements(survey) == {Verdict.UNKNOWN}
    assert not survey_in(inside + TOP).is_cut_off, "the server of example.jp is wrong about its own name"


def test_a_domain_that_does_not_exist_is_missing_where_its_top_level_domain_answers() -> None:
    survey = survey_in(TOP)
    assert survey.zone.is_missing
    assert not survey.is_cut_off
    assert judgements(survey) == {Verdict.YES}


def test_a_top_level_domain_that_does_not_exist_is_told_by_one_that_does() -> None:
    private = name("example.local")
    assert survey_in("com NS ns.example", private).zone.is_missing
    assert survey_in("", private).is_cut_off


@pytest.mark.parametrize(
    "zone",
    [
        "clinic.example.jp A 192.0.2.1",
        "clinic.example.jp CNAME gone.example.net",
        "www.clinic.example.jp A 192.0.2.1",  # an empty non-terminal
        "example.jp NS ns.example",
        '_dmarc.example.jp TXT "v=DMARC1; p=reject"',
    ],
)
def test_it_costs_no_question_where_something_exists(zone: str) -> None:
    assert "jp NS" not in asked_for(zone)


def test_it_costs_no_question_where_nothing_is_answered() -> None:
    everything = {"clinic.example.jp", "example.jp", "jp", "_dmarc.jp", "_dmarc.example.jp", "_dmarc.clinic.example.jp"}
    everything |= {"_domainkey.clinic.example.jp"}
    assert "jp NS" not in asked_for("\n".join(f"{owner} * !timeout" for owner in everything))


def test_it_costs_one_question_where_nothing_exists() -> None:
    ordinary = asked_for("clinic.example.jp A 192.0.2.1")
    assert asked_for(TOP) - ordinary == {"jp NS"}


def test_the_evidence_keeps_what_was_said_and_the_document_says_that_it_is_not_believed() -> None:
    document = document_of("")
    assert document["findings"] == []
    assert document["spoofable"]["domain"] == "unknown"
    rows = {f"{row['name']} {row['type']}": (row["status"], row["note"]) for row in document["unanswered"]}
    assert rows["clinic.example.jp MX"] == rows["jp NS"] == rows["com NS"] == ("error", "cut-off")
    assert document["dnssec"]["answers"] == 0
    assert survey_in("").zone.mx.question == Question(CLINIC, RRType.MX)


def test_what_the_second_opinion_makes_of_it_is_explained() -> None:
    """It is given no denial either; that it takes silence for absence is known of it."""
    opinion = document_of("", second_opinion=True)["second_opinion"]
    assert opinion["disagreements"]
    assert all("-no-answer-read-as-" in row["category"] for row in opinion["disagreements"])
