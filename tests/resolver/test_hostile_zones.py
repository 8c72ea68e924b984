"""A domain made to cost others time: a whole survey of it stays within 100 questions and its deadline, says so, and
replays from its evidence to the same facts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import UTC, datetime

import dns.message
import pytest

from mailguard.evidence import Evidence, source_of
from mailguard.evidence.codec import format_evidence, parse_evidence
from mailguard.inquiry import run
from mailguard.names import name
from mailguard.resolver import Session, drive
from mailguard.survey import Survey, take_survey
from tests.hostile_dns import LoopbackDns, Tcp, Udp, framed, question_text, reply, silence, truncated
from tests.resolver.helpers import asking

DEADLINE_S = 1.0
PATIENCE_S = 8.0  # what a busy machine may take on top
EVIL = name("evil.example")


def strings(text: str) -> str:
    """Text in character-strings of at most 255 octets."""
    return " ".join(f'"{text[start : start + 255]}"' for start in range(0, len(text), 255))


def always(*texts: str) -> Udp:
    """TXT records for every name, nothing of any other type."""

    def udp(query: dns.message.Message) -> list[bytes]:
        owner, rrtype = question_text(query).split()
        return [reply(query, *(f"{owner}. 60 IN TXT {strings(text)}" for text in texts if rrtype == "TXT"))]

    return udp


def endless(record: Callable[[str], str]) -> Udp:
    """For every question a record that names something new."""

    def udp(query: dns.message.Message) -> list[bytes]:
        owner = question_text(query).split()[0]
        return [reply(query, f"{owner}. 60 IN {record(f'{time.perf_counter_ns()}.example')}")]

    return udp


def failing(rcode: int, **options: int) -> Udp:
    return lambda query: [reply(query, rcode=rcode, **options)]


def garbage(query: dns.message.Message) -> list[bytes]:
    return [query.id.to_bytes(2, "big") + b"\x81\x80" + b"\xff" * 500]


def malformed(query: dns.message.Message) -> list[bytes]:
    whole = reply(query, f"{question_text(query).split()[0]}. 60 IN A 192.0.2.1")
    return [whole[:6] + b"\xff\xff\xff\xff\xff\xff" + whole[12:]]


def forged(query: dns.message.Message) -> list[bytes]:
    whole = reply(query, f'{question_text(query).split()[0]}. 60 IN TXT "v=spf1 +all"')
    return [bytes([whole[0] ^ 0xFF]) + whole[1:]]


def short(query: dns.message.Message) -> list[bytes]:
    return [truncated(query)]


def huge(query: dns.message.Message) -> Iterable[bytes]:
    owner = question_text(query).split()[0]
    text = "v=spf1 " + " ".join(f"include:{n:04}.{owner.replace('_', 'x')}" for n in range(2000))
    return [framed(reply(query, f"{owner}. 60 IN TXT {strings(text[:60_000])}"))]


async def drip(query: dns.message.Message) -> AsyncIterator[bytes]:
    while True:
        yield b"\xff"
        await asyncio.sleep(0.01)


ZONES: dict[str, tuple[Udp, Tcp]] = {
    "include loop": (always("v=spf1 include:evil.example include:other.example -all"), silence),
    "255 includes": (always("v=spf1 " + " ".join(f"include:{n}.x.example" for n in range(255))), silence),
    "endless includes": (endless(lambda new: f'TXT "v=spf1 include:{new} redirect=r.{new}"'), silence),
    "endless aliases": (endless(lambda new: f"CNAME {new}."), silence),
    "alias loop": (endless(lambda new: "CNAME evil.example."), silence),
    "64 KB of TXT": (short, huge),
    "truncation, then nothing": (short, silence),
    "truncation, then garbage": (short, lambda query: [b"\xff" * 70_000]),
    "truncation, then a slow drip": (short, drip),
    "silence": (silence, silence),
    "garbage": (garbage, silence),
    "oversized counts": (malformed, silence),
    "forged ids": (forged, silence),
    "servfail": (failing(2), silence),
    "refused": (failing(5), silence),
    "formerr": (failing(1), silence),
    "lame": (failing(0, flags=0), silence),
}


def facts(survey: Survey) -> list[object]:
    """Some of what a survey says. Not the whole: comparing trees that share branches takes forever."""
    spf = survey.spf
    answers = [spf.txt, spf.type99, *spf.wrong_names]
    return [
        *answers,
        spf.status,
        spf.text,
        spf.lookups,
        spf.void_lookups,
        spf.truncated,
        spf.all,
        spf.reach4,
        spf.sample,
    ]


@pytest.mark.parametrize("zone", ZONES)
async def test_a_survey_of_it_ends_within_its_bounds(zone: str) -> None:
    started = time.monotonic()
    async with LoopbackDns(*ZONES[zone]) as server, asking(server, timeout_s=0.2) as resolver:
        with Session(resolver, deadline_s=DEADLINE_S) as session:
            survey = await drive(take_survey(EVIL, probe_label="probe"), session)
            evidence = Evidence(EVIL, datetime.now(UTC), "probe", answers=session.answers)
    assert time.monotonic() - started < DEADLINE_S + PATIENCE_S
    assert session.questions <= 100
    assert len(server.asked) <= 100
    replayed = run(take_survey(EVIL, probe_label="probe"), source_of(parse_evidence(format_evidence(evidence))))
    assert facts(replayed) == facts(survey)


UNANSWERED = sorted(set(ZONES) - {"include loop", "255 includes", "endless includes", "64 KB of TXT"})


@pytest.mark.parametrize("zone", UNANSWERED)
async def test_what_was_not_answered_is_never_taken_for_absent(zone: str) -> None:
    async with LoopbackDns(*ZONES[zone]) as server, asking(server, timeout_s=0.2) as resolver:
        with Session(resolver, deadline_s=DEADLINE_S) as session:
            survey = await drive(take_survey(EVIL, probe_label="probe"), session)
    assert survey.spf.txt.unanswered
    assert not [answer for answer in session.answers if answer.absent]
