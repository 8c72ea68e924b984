"""checkdmarc sees the evidence, the whole evidence and nothing but the evidence."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailguard.inquiry import Answer, Question, RRType, Status, Txt, run
from mailguard.names import name
from mailguard.second_opinion import MAX_PASSES, MAX_QUESTIONS, Opinion, second_opinion, second_opinion_inquiry
from tests.zones import Zone

CLINIC = name("clinic.example.jp")

HEALTHY = """
    clinic.example.jp         TXT "v=spf1 mx include:_spf.example.net -all"
    clinic.example.jp         MX 10 mail.clinic.example.jp
    mail.clinic.example.jp    A 192.0.2.1
    _spf.example.net          CNAME spf1.example.net
    spf1.example.net          TXT "v=spf1 ip4:192.0.2.0/24 -all"
    _dmarc.clinic.example.jp  TXT "v=DMARC1; p=reject; rua=mailto:a@rua.example.net"
    clinic.example.jp._report._dmarc.rua.example.net  TXT "v=DMARC1"
    rua.example.net           MX 10 mail.example.net
"""


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the second opinion opened a socket")

    second_opinion(CLINIC, {})  # the import itself may do as it likes
    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def opinion_on(text: str) -> Opinion:
    return run(second_opinion_inquiry(CLINIC, {}), Zone.parse(text))


def test_a_healthy_domain_is_valid_in_its_eyes_too() -> None:
    opinion = opinion_on(HEALTHY)
    assert (opinion.spf.valid, opinion.spf.lookups, opinion.spf.void_lookups) == (True, 2, 0)
    assert (opinion.dmarc.valid, opinion.dmarc.policy, opinion.dmarc.location) == (True, "reject", CLINIC)
    assert (opinion.mx.valid, opinion.mx.hosts) == (True, ("mail.clinic.example.jp",))
    assert opinion.version.startswith("6.0.")
    assert {question.rrtype for question in opinion.missing} == {RRType.SPF}, "type 99 is not worth a question"


def test_without_evidence_there_is_no_opinion() -> None:
    opinion = second_opinion(CLINIC, {})
    assert (opinion.spf.valid, opinion.dmarc.valid, opinion.mx.valid) == (None, None, None)
    assert Question(CLINIC, RRType.TXT) in opinion.missing


@pytest.mark.parametrize("rrtype", [RRType.TXT, RRType.A, RRType.MX])
def test_what_a_verdict_hangs_on_must_have_been_asked(rrtype: RRType) -> None:
    zone = Zone.parse(HEALTHY.replace("mx include", "mx a include"))
    answers = {question: zone(question) for question in (Question(CLINIC, kind) for kind in RRType)}
    answers[Question(name("_spf.example.net"), RRType.TXT)] = zone(Question(name("_spf.example.net"), RRType.TXT))
    for host_type in (RRType.A, RRType.AAAA):
        question = Question(name("mail.clinic.example.jp"), host_type)
        answers[question] = zone(question)
    assert second_opinion(CLINIC, answers).spf.valid is True
    del answers[Question(CLINIC, rrtype)]
    assert second_opinion(CLINIC, answers).spf.valid is None


def test_a_report_address_that_nobody_asked_about_decides_nothing() -> None:
    zone = Zone.parse(HEALTHY)
    questions = [Question(CLINIC, RRType.TXT), Question(name("_dmarc.clinic.example.jp"), RRType.TXT)]
    opinion = second_opinion(CLINIC, {question: zone(question) for question in questions})
    assert opinion.dmarc.valid is True


def test_aliases_answer_the_cname_probes() -> None:
    zone = Zone.parse(HEALTHY)
    opinion = run(second_opinion_inquiry(CLINIC, {}), zone)
    assert opinion.spf.warnings == ()
    assert not [question for question in zone.asked if question.rrtype is RRType.CNAME]


def test_a_name_that_does_not_exist_has_no_records_of_any_type() -> None:
    zone = Zone.parse('clinic.example.jp TXT "v=spf1 a:gone.example.net -all"')
    run(second_opinion_inquiry(CLINIC, {Question(name("gone.example.net"), RRType.TXT): _nxdomain()}), zone)
    assert not [question for question in zone.asked if question.name == "gone.example.net"]


def _nxdomain() -> Answer:
    return Answer(Question(name("gone.example.net"), RRType.TXT), Status.NXDOMAIN)


def test_the_explanation_is_read_from_the_evidence_although_checkdmarc_asks_past_the_resolver() -> None:
    zone = 'clinic.example.jp TXT "v=spf1 -all exp=why.example.net"\nwhy.example.net TXT "one"\n'
    assert opinion_on(zone).spf.warnings == ()
    twice = opinion_on(zone + 'why.example.net TXT "two"')
    assert twice.spf.warnings == ("Too many TXT records at exp value why.example.net.",)


@pytest.mark.parametrize("status", ["!timeout", "!servfail", "!refused", "!error"])
def test_what_nobody_answered_is_remembered_as_such(status: str) -> None:
    opinion = opinion_on(f"clinic.example.jp TXT {status}")
    assert Question(CLINIC, RRType.TXT) in opinion.spf.failed


def test_a_text_too_long_for_its_patterns_is_kept_from_it() -> None:
    question = Question(CLINIC, RRType.TXT)
    strings = (b"v=spf1 ", *(b"a" * 255 for _ in range(40)))
    opinion = second_opinion(CLINIC, {question: Answer(question, Status.DATA, (Txt(strings),))})
    assert opinion.spf.valid is None


@pytest.mark.parametrize(
    "text",
    [
        b"v=spf1 " + b"a " * 4000,
        b"v=spf1 " + b"%{d}" * 2000,
        b'v=spf1 "' + b'\\"' * 4000,
        b"v=DMARC1; p=none" + b"; a=b" * 1600,
        b"v=DMARC1; p=none; rua=x:" + b"a/" * 4000 + b"^",
        b"v=DMARC1; p=none; rua=" + b",".join(b"mailto:a@x%d.example" % number for number in range(350)),
    ],
)
def test_the_longest_hostile_text_costs_a_moment(text: bytes) -> None:
    record = Txt(tuple(text[start : start + 255] for start in range(0, len(text), 255)))
    questions = [Question(CLINIC, RRType.TXT), Question(CLINIC.child("_dmarc"), RRType.TXT)]
    began = time.process_time()
    second_opinion(CLINIC, {question: Answer(question, Status.DATA, (record,)) for question in questions})
    assert time.process_time() - began < 2


def test_an_endless_zone_ends() -> None:
    zone = Zone.parse("\n".join(f'i{n}.example.net TXT "v=spf1 include:i{n + 1}.example.net -all"' for n in range(300)))
    zone.records[CLINIC, "TXT"] = [Txt((b"v=spf1 include:i0.example.net -all",))]
    opinion = run(second_opinion_inquiry(CLINIC, {}), zone)
    assert opinion.spf.valid is None
    assert sum(zone.asked.values()) <= MAX_QUESTIONS
    assert max(zone.asked.values()) == 1
    assert sum(question.name.startswith("i") for question in zone.asked) < MAX_PASSES


def test_a_record_of_many_includes_costs_a_bounded_number_of_questions() -> None:
    names = " ".join(f"include:i{n}.example.net" for n in range(255))
    zone = Zone.parse("\n".join(f'i{n}.example.net TXT "v=spf1 mx a -all"' for n in range(255)))
    zone.records[CLINIC, "TXT"] = [Txt((f"v=spf1 {names} -all".encode(),))]
    run(second_opinion_inquiry(CLINIC, {}), zone)
    assert sum(zone.asked.values()) <= MAX_QUESTIONS


def test_a_recursion_too_deep_for_it_is_its_failure_not_ours() -> None:
    zone = Zone.parse("\n".join(f'i{n}.example.net TXT "v=spf1 include:i{n + 1}.example.net -all"' for n in range(900)))
    zone.records[CLINIC, "TXT"] = [Txt((b"v=spf1 include:i0.example.net -all",))]
    answers = {Question(owner, RRType.TXT): zone(Question(owner, RRType.TXT)) for owner, _ in zone.records}
    opinion = second_opinion(CLINIC, answers)
    assert opinion.spf.valid is None
    assert opinion.dmarc.kind != "RecursionError"


def test_threads_do_not_see_each_other_s_answers() -> None:
    def ask(number: int) -> bool:
        policy = "reject" if number % 2 else "quarantine"
        zone = Zone.parse(f'_dmarc.clinic.example.jp TXT "v=DMARC1; p={policy}"\nclinic.example.jp A 192.0.2.1')
        return run(second_opinion_inquiry(CLINIC, {}), zone).dmarc.policy == policy

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(40)))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.binary(max_size=60), min_size=1, max_size=4), st.sampled_from([b"v=spf1 ", b"v=DMARC1; ", b""]))
def test_no_record_makes_it_raise(strings: list[bytes], start: bytes) -> None:
    record = Txt((start + strings[0], *strings[1:]))
    answers = {
        question: Answer(question, Status.DATA, (record,))
        for question in (Question(CLINIC, RRType.TXT), Question(CLINIC.child("_dmarc"), RRType.TXT))
    }
    assert isinstance(second_opinion(CLINIC, answers), Opinion)
