"""The record grammar of RFC 9989 section 4.8 and its fall-backs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.dmarc.record import (
    Mode,
    Policy,
    ProblemCode,
    Psd,
    Record,
    Treatment,
    format_record,
    is_dmarc_record,
    parse_record,
    text_of,
)


def record_of(text: str) -> Record:
    record = parse_record(text)
    assert record is not None
    return record


@pytest.mark.parametrize(
    "text",
    [
        "v=DMARC1",
        "v=DMARC1;",
        "v=DMARC1; p=none",
        "v = DMARC1 ; p=none",
        "v\t=\tDMARC1;p=none",
        "v=DMARC1 ",
        "V=DMARC1",
    ],
)
def test_begins_with_the_version(text: str) -> None:
    assert is_dmarc_record(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v=dmarc1; p=none",
        "v=Dmarc1; p=none",
        "v=DMARC10; p=none",
        "v=DMARC2; p=none",
        " v=DMARC1; p=none",
        "\tv=DMARC1",
        "p=none; v=DMARC1",
        "v=DMARC1 p=none",
        "v=DMARC1, p=none",
        "v=DMARC1\n; p=none",
        "v=DMARC1\\; p=none",
        "v=DMARC1\u00a0; p=none",
        '"v=DMARC1; p=none"',
        "ｖ＝ＤＭＡＲＣ１; p=none",
        "v=spf1 -all",
    ],
)
def test_is_no_record(text: str) -> None:
    assert not is_dmarc_record(text)
    assert parse_record(text) is None


def test_everything_said() -> None:
    record = record_of(
        "v=DMARC1; p=Reject; sp=QUARANTINE; np=none; adkim=S; aspf=s; psd=N; t=Y; fo=1:d:s;"
        " rua=mailto:a@example.jp,mailto:b@example.com; ruf=mailto:c@example.jp"
    )
    assert (record.p, record.sp, record.np) == (Policy.REJECT, Policy.QUARANTINE, Policy.NONE)
    assert (record.adkim, record.aspf, record.psd, record.t) == (Mode.STRICT, Mode.STRICT, Psd.NO, True)
    assert record.fo == ("1", "d", "s")
    assert [uri.address for uri in record.rua] == ["a@example.jp", "b@example.com"]
    assert [uri.address for uri in record.ruf] == ["c@example.jp"]
    assert record.problems == ()


def test_defaults() -> None:
    record = record_of("v=DMARC1; p=none")
    assert (record.sp, record.np, record.adkim, record.aspf) == (None, None, Mode.RELAXED, Mode.RELAXED)
    assert (record.psd, record.t, record.fo, record.rua, record.ruf) == (Psd.UNKNOWN, False, ("0",), (), ())


@pytest.mark.parametrize(
    ("tag", "field", "default"),
    [
        ("adkim=x", "adkim", Mode.RELAXED),
        ("aspf=strict", "aspf", Mode.RELAXED),
        ("t=yes", "t", False),
        ("psd=maybe", "psd", Psd.UNKNOWN),
        ("fo=0:1", "fo", ("0",)),
        ("fo=d:d", "fo", ("0",)),
        ("fo=1:x", "fo", ("0",)),
        ("fo=", "fo", ("0",)),
    ],
)
def test_an_invalid_optional_tag_has_its_default(tag: str, field: str, default: object) -> None:
    # RFC 9989 4.8: syntax errors are to be taken as the default, the record stays.
    record = record_of(f"v=DMARC1; p=reject; {tag}")
    assert getattr(record, field) == default
    assert record.treatment is Treatment.APPLY
    (problem,) = record.problems
    assert problem.tag == tag.split("=")[0]
    assert problem.code in (ProblemCode.BAD_VALUE, ProblemCode.EMPTY_VALUE)


@pytest.mark.parametrize("fo", ["0", "1", "d", "s", "d:s", "s:d", "1:d:s", "0:D"])
def test_failure_options(fo: str) -> None:
    assert record_of(f"v=DMARC1; p=none; fo={fo}").fo == tuple(fo.lower().split(":"))


RUA = "; rua=mailto:a@example.jp"


@pytest.mark.parametrize(
    ("tags", "treatment"),
    [
        ("; p=reject", Treatment.APPLY),
        ("", Treatment.IGNORE),
        (RUA, Treatment.MONITOR),
        ("; p=monitor", Treatment.IGNORE),
        ("; p=monitor" + RUA, Treatment.MONITOR),
        ("; p=reject; sp=monitor", Treatment.IGNORE),
        ("; p=reject; sp=monitor" + RUA, Treatment.MONITOR),
        ("; p=reject; np=monitor" + RUA, Treatment.MONITOR),
        ("; p=reject; sp=" + RUA, Treatment.MONITOR),
        ("; p=reject; sp=“none”" + RUA, Treatment.MONITOR),
        ("; rua=a@example.jp", Treatment.IGNORE),
        ("; rua=a@example.jp,mailto:b@example.jp", Treatment.MONITOR),
        ("; rua=https://example.jp/", Treatment.MONITOR),
    ],
)
def test_policies_that_cannot_be_read(tags: str, treatment: Treatment) -> None:
    # RFC 9989 4.10.1: with a destination as p=none, without one no DMARC at all.
    assert record_of("v=DMARC1" + tags).treatment is treatment


def test_removed_tags_stay_visible_and_are_no_problem() -> None:
    record = record_of("v=DMARC1; p=none; pct=50; rf=afrf; ri=86400")
    assert (record.pct, record.value("rf"), record.value("ri")) == (50, "afrf", "86400")
    assert record.problems == ()


@pytest.mark.parametrize(
    ("text", "pct"), [("0", 0), ("100", 100), ("101", None), ("-1", None), ("5%", None), ("٣", None)]
)
def test_sampling_rate(text: str, pct: int | None) -> None:
    assert record_of(f"v=DMARC1; p=none; pct={text}").pct == pct


@pytest.mark.parametrize(
    ("text", "code", "tag", "words"),
    [
        ("v=DMARC1;; p=none", ProblemCode.EMPTY_TAG, "", ""),
        ("v=DMARC1; p=none; hello", ProblemCode.NO_EQUALS, "", "hello"),
        ("v=DMARC1; p=none; a-b=c", ProblemCode.BAD_NAME, "", "a-b=c"),
        ("v=DMARC1; p=none; rau=mailto:a@example.jp", ProblemCode.UNKNOWN_TAG, "rau", "rau"),
        ("v=DMARC1; p=none; P=none", ProblemCode.DUPLICATE_TAG, "p", "P"),
        ("v=DMARC1; P=none", ProblemCode.UPPER_CASE_NAME, "p", "P"),
        ("v=DMARC1; p=“none”", ProblemCode.BAD_CHARACTER, "p", "“none”"),
        ("v=DMARC1; p=no\x00ne", ProblemCode.BAD_CHARACTER, "p", "no\x00ne"),
        ("v=DMARC1; p=none; rua=a@example.jp", ProblemCode.BAD_URI, "rua", "a@example.jp"),
    ],
)
def test_problems_name_the_place(text: str, code: ProblemCode, tag: str, words: str) -> None:
    problem = next(problem for problem in record_of(text).problems if problem.code is code)
    assert (problem.tag, problem.text) == (tag, words)
    assert text[problem.position :].startswith(words)


def test_of_a_policy_given_twice_the_weaker_counts() -> None:
    assert record_of("v=DMARC1; p=reject; p=none").p is Policy.NONE
    assert record_of("v=DMARC1; p=none; p=reject").p is Policy.NONE


def test_octets_that_are_no_text() -> None:
    record = record_of(text_of(b"v=DMARC1; p=none\xff"))
    assert record.treatment is Treatment.IGNORE


_NAMES = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=6)
_VALUES = st.text([chr(code) for code in range(0x20, 0x7F) if chr(code) != ";"], min_size=1, max_size=20)
_TAGS = st.lists(st.tuples(_NAMES, _VALUES.map(str.strip).filter(bool)), max_size=12)


@given(_TAGS)
def test_parse_after_format_is_identity(tags: list[tuple[str, str]]) -> None:
    tags = [("v", "DMARC1"), *tags]
    record = record_of(format_record(tags))
    assert [(tag.name, tag.value) for tag in record.tags] == tags
    again = record_of(format_record((tag.name, tag.value) for tag in record.tags))
    assert again == record


@given(_TAGS)
def test_positions_lead_back_to_the_text(tags: list[tuple[str, str]]) -> None:
    record = record_of("v = DMARC1 ;" + " ; ".join(f"{name} ={value}" for name, value in tags))
    for tag in record.tags:
        assert record.text[tag.position :].startswith(tag.name)
        assert record.text[tag.value_position :].startswith(tag.value)


@given(st.binary(max_size=300))
def test_never_raises_on_octets(octets: bytes) -> None:
    parse_record(text_of(octets))
    parse_record("v=DMARC1;" + text_of(octets))


@given(st.text(alphabet="vDMARC1=; \tpsnrua:@!,%t”；\u3000\x00", max_size=80))
def test_never_raises_on_likely_text(text: str) -> None:
    record = parse_record("v=DMARC1;" + text)
    assert record is not None
    assert record.treatment in Treatment


def test_hostile_size_is_bounded() -> None:
    assert len(record_of("v=DMARC1" + ";a=b" * 20_000).tags) <= 200
    assert len(record_of("v=DMARC1;rua=" + "," * 60_000).rua) <= 100
