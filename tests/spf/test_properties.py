"""What holds for every record and every zone."""

from __future__ import annotations

import random
from ipaddress import IPv4Address

from hypothesis import given, settings
from hypothesis import strategies as st

from mailguard.inquiry import Answer, Question, RRType, Status, Txt, run
from mailguard.names import name
from mailguard.spf import edit
from mailguard.spf.check_host import check_host
from mailguard.spf.expansion import MAX_QUESTIONS
from mailguard.spf.limits import LookupBudget
from mailguard.spf.mend import mended
from mailguard.spf.record import format_record, parse_record
from mailguard.spf.space import EVERYTHING, Space, space_of
from mailguard.spf.survey import survey_spf
from mailguard.spf.terms import Broken
from mailguard.spf.verdict import Mailbox, Result
from tests.zones import Zone

CLINIC = name("clinic.example.jp")
PIECES = (
    *(
        "v=spf1",
        " ",
        "  ",
        "a",
        "mx",
        "ip4:",
        "ip6:",
        "include:",
        "exists:",
        "ptr",
        "all",
        "redirect=",
        "exp=",
        "=",
        ":",
    ),
    *(
        "/24",
        "//64",
        "/33",
        "-",
        "~",
        "?",
        "+",
        "192.0.2.1",
        "2001:db8::1",
        "a.example.net",
        "%{i}",
        "%{",
        "%",
        "%{d2r-}",
    ),
    *("\t", "\u3000", "\u201c", '"', "\\", ",", "\u75c5\u9662", "\uff41", "clinic.example.jp", "..", "\x00", "\ud7ff"),
)
records = st.one_of(
    st.binary(max_size=200).map(lambda octets: b"v=spf1 " + octets),
    st.lists(st.sampled_from(PIECES), max_size=25).map(lambda pieces: ("v=spf1 " + "".join(pieces)).encode()),
)


@given(records)
def test_reading_never_raises_and_forgets_no_character(octets: bytes) -> None:
    record = parse_record(octets)
    for term in record.terms:
        assert record.text[term.start : term.end] == term.text
        if isinstance(term, Broken):
            assert term.start <= term.fault_at <= term.end


@given(records)
def test_parse_after_format_is_identity(octets: bytes) -> None:
    terms = parse_record(octets).terms
    assert parse_record(format_record(terms).encode()).terms == terms


@given(records)
def test_what_is_mended_can_be_read(octets: bytes) -> None:
    text = mended(parse_record(octets))
    assert text is None or not parse_record(text.encode()).faults


@settings(max_examples=60, deadline=None)
@given(st.lists(records, min_size=1, max_size=4), st.integers(0, 2**32))
def test_no_zone_makes_a_survey_raise_or_ask_too_much(texts: list[bytes], seed: int) -> None:
    asked: set[Question] = set()

    def source(question: Question) -> Answer:
        asked.add(question)
        draw = random.Random(f"{question}{seed}")
        if question.rrtype is RRType.TXT:
            return Answer(question, Status.DATA, (Txt((draw.choice(texts),)),))
        return Answer(question, draw.choice((Status.NXDOMAIN, Status.NO_DATA, Status.TIMEOUT, Status.SERVFAIL)))

    spf = run(survey_spf(CLINIC), source)
    assert len(asked) <= MAX_QUESTIONS + 2 + 12
    assert spf.strangers_can_pass
    assert spf.all is None or spf.all in "+-~?"
    for rule_id in (f"SPF{number:03}" for number in range(1, 46)):
        edit.propose(rule_id, spf)


def zone_of(seed: int) -> Zone:
    """A zone without loops, in which nothing is void and no address is outside 198.51.100.0/24."""
    draw = random.Random(seed)
    lines = ["h.example.net A 198.51.100.9", "m.example.net MX 10 h.example.net"]
    for level in reversed(range(draw.randint(1, 4))):
        for place in range(draw.randint(1, 2)):
            terms = []
            for _ in range(draw.randint(0, 3)):
                below = f"n{level + 1}x0.example.net"
                known = any(line.startswith(f"{below} ") for line in lines)
                choices = [
                    f"ip4:198.51.100.{draw.randrange(256)}/{draw.randint(26, 32)}",
                    "a:h.example.net",
                    "mx:m.example.net",
                ]
                term = draw.choice([*choices, f"include:{below}"] if known else choices)
                terms.append(draw.choice(("", "", "", "-", "?")) + term)
            if draw.random() < 0.8:
                terms.append(draw.choice("-~?") + "all")
            lines.append(f'n{level}x{place}.example.net TXT "v=spf1 {" ".join(terms)}"')
    lines.append('clinic.example.jp TXT "v=spf1 include:n0x0.example.net mx:m.example.net redirect=n0x0.example.net"')
    return Zone.parse("\n".join(lines))


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32))
def test_a_tree_costs_what_check_host_counts_when_nothing_matches(seed: int) -> None:
    zone = zone_of(seed)
    budget = LookupBudget(lookups=10_000, void_lookups=10_000)
    outside = check_host(IPv4Address("203.0.113.1"), CLINIC, Mailbox("a", CLINIC), budget=budget)
    assert run(survey_spf(CLINIC), zone).lookups == run(outside, zone).lookups


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 255))
def test_whoever_is_said_to_pass_passes_and_nobody_else(seed: int, last: int) -> None:
    zone = zone_of(seed)
    spf = run(survey_spf(CLINIC), zone)
    if spf.reach4.stopped_at:
        return
    ip = IPv4Address(f"198.51.100.{last}")
    verdict = run(check_host(ip, CLINIC, Mailbox("a", CLINIC)), zone)
    assert (verdict.result is Result.PASS) is (ip in spf.reach4.passes)


ranges = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 5)).map(lambda pair: (pair[0], sum(pair))), max_size=8)


@given(ranges, ranges)
def test_spaces_are_sets(left: list[tuple[int, int]], right: list[tuple[int, int]]) -> None:
    def numbers(pairs: list[tuple[int, int]]) -> set[int]:
        return {number for first, last in pairs for number in range(first, last + 1)}

    def space(pairs: list[tuple[int, int]]) -> Space:
        return Space(4) | Space(4, tuple(pairs)) if pairs else Space(4)

    one, two = space(left), space(right)
    assert (one | two).size == len(numbers(left) | numbers(right))
    assert (one - two).size == len(numbers(left) - numbers(right))
    assert space_of(4, one.networks()) == one
    assert (EVERYTHING[4] - one).size == 2**32 - one.size
