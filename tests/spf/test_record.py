"""Reading records: terms with positions, every fault kept, and the record that receivers select."""

from __future__ import annotations

import pytest

from mailguard.inquiry import Txt
from mailguard.spf.record import format_record, is_spf, parse_record, select_records
from mailguard.spf.terms import Broken, Directive, Kind, Modifier, Qualifier, Reason


def faults_of(text: str) -> list[tuple[Reason, str]]:
    return [(fault.reason, fault.text) for fault in parse_record(text.encode()).faults]


def test_terms_know_where_they_stand() -> None:
    record = parse_record(b"v=spf1  a:www1.example.jp/24//64 -mx redirect=_spf.example.net")
    host, mx, redirect = record.terms
    assert isinstance(host, Directive)
    assert isinstance(mx, Directive)
    assert isinstance(redirect, Modifier)
    assert (host.kind, host.prefix4, host.prefix6) == (Kind.A, 24, 64)
    assert mx.qualifier is Qualifier.FAIL
    assert redirect.value.text == "_spf.example.net"
    for term in record.terms:
        assert record.text[term.start : term.end] == term.text


def test_every_fault_is_kept_not_only_the_first() -> None:
    assert faults_of("v=spf1 ip:192.0.2.1 ip4:192.0.2 mx all:x") == [
        (Reason.UNKNOWN_MECHANISM, "ip:192.0.2.1"),
        (Reason.BAD_IP4, "ip4:192.0.2"),
        (Reason.UNEXPECTED_ARGUMENT, "all:x"),
    ]


@pytest.mark.parametrize(
    ("term", "reason"),
    [
        ("redirect:a.example.net", Reason.COLON_AFTER_MODIFIER),
        ("-redirect=a.example.net", Reason.QUALIFIED_MODIFIER),
        ("a:192.0.2.1", Reason.ADDRESS_FOR_NAME),
        ("mx:2001:db8::1", Reason.ADDRESS_FOR_NAME),
        ("ip4:2001:db8::1", Reason.WRONG_FAMILY),
        ("ip6:192.0.2.1", Reason.WRONG_FAMILY),
        ("ip6:fe80::1%eth0", Reason.BAD_IP6),
        ("ip4:192.0.2.1/024", Reason.BAD_PREFIX),
        ("ip4:192.0.2.01", Reason.BAD_IP4),
        ("a/24/64", Reason.BAD_PREFIX),
        ("include", Reason.EMPTY_DOMAIN),
        ("include:localhost", Reason.BAD_DOMAIN),
        ("exists:%{q}.example.net", Reason.BAD_MACRO),
        ("exists:%{d0}.example.net", Reason.BAD_MACRO),
        ("exists:%{t}.example.net", Reason.EXPLANATION_ONLY),
        ("mx,", Reason.STRAY_PUNCTUATION),
        ("include:a.example.net~all", Reason.MISSING_BLANK),
        ("ip4:192.0.2.1ip4:192.0.2.2ip4:192.0.2.3", Reason.MISSING_BLANK),
        ('-all"', Reason.QUOTE),
        ("\\-all", Reason.BACKSLASH),
        ("mx\u3000-all", Reason.OTHER_BLANK),
        ("mx\ufeff", Reason.OTHER_BLANK),
        ("mx\t-all", Reason.TAB),
        ("mx\r\n", Reason.CONTROL),
        ("\uff5eall", Reason.DASH),
        ("\uff41", Reason.FULL_WIDTH),
        ("\u201c-all\u201d", Reason.SMART_QUOTE),
        ("a:\u75c5\u9662.example.jp", Reason.U_LABEL),
    ],
)
def test_a_fault_has_the_reason_that_helps_most(term: str, reason: Reason) -> None:
    assert faults_of(f"v=spf1 {term}") == [(reason, term)]


@pytest.mark.parametrize(
    "term",
    [
        "A",
        "MX/0//0",
        "ip6:::ffff:192.0.2.1",
        "a:foo:bar/baz.example.net",
        "exists:%{l1r+-}.%{D2}",
        "x-y.z_1=%%%_%-",
        "note=",
    ],
)
def test_unusual_but_right(term: str) -> None:
    assert faults_of(f"v=spf1 {term}") == []


@pytest.mark.parametrize("name", ["redirect", "exp"])
def test_redirect_and_exp_once_each(name: str) -> None:
    assert [text for _, text in faults_of(f"v=spf1 {name}=a.example.net {name}=b.example.net")] == [
        f"{name}=b.example.net"
    ]


def test_octets_that_are_no_text_are_a_fault_and_no_exception() -> None:
    (fault,) = parse_record(b"v=spf1 a:\x96\xff.example.net").faults
    assert fault.reason is Reason.NON_ASCII


def test_our_own_form() -> None:
    record = parse_record(b"v=spf1   +MX  IP4:192.0.2.5/24 ?ALL Redirect=a.example.net")
    assert format_record(record.terms) == "v=spf1 mx ip4:192.0.2.5/24 ?all redirect=a.example.net"


def test_a_broken_term_stays_as_it_was_published() -> None:
    record = parse_record(b"v=spf1 ip:192.0.2.1 -all")
    assert isinstance(record.terms[0], Broken)
    assert format_record(record.terms) == "v=spf1 ip:192.0.2.1 -all"


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        (b"v=spf1", True),
        (b"V=SPF1 -all", True),
        (b"v=spf1 ", True),
        (b"v=spf10 -all", False),
        (b" v=spf1 -all", False),
        (b'"v=spf1 -all"', False),
        (b"v=spf1\t-all", False),
        (b"spf2.0/pra -all", False),
    ],
)
def test_what_receivers_take_for_a_record(text: bytes, chosen: bool) -> None:
    assert is_spf(text) is chosen


def test_strings_are_joined_before_the_choice() -> None:
    assert select_records([Txt((b"v=sp", b"f1 -all")), Txt((b"other",))]) == (Txt((b"v=sp", b"f1 -all")),)
