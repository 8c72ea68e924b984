"""The suite of odd reports: everything that a person could read is read, and what was wrong with it is told."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailguard.feedback import plainmail, strict, unpack, wording
from mailguard.feedback.mail import MailContents, MailKind, read_mail
from tests.feedback.suite import mail_cases, tls_cases, xml_cases
from tests.feedback.suite.case import Case, Counts

# Where we keep less than a person reads: how many records less, and why.
LOST = {
    "xml: count in words": (1, "numbers are digits; words would have to be understood in every language"),
    "xml: absurd count": (1, "one record of 10^20 messages would drown every sum"),
    "xml: cut in the last record": (1, "what a record says first is not believed before its end was seen"),
    "xml: cut in the middle of a tag": (1, "as above"),
    "xml: end tag missing in the second": (1, "its elements could belong to what follows"),
    "xml: too many elements in a record": (1, "a bound, which keeps bombs out"),
    "tls: no policy-domain": (1, "the domain stands only in the name of the file and in patterns of hosts"),
    "mail: three gzips deep": (2, "a bound, which keeps archives without bottom out"),
    "mail: gzip cut short": (1, "what a record says first is not believed before its end was seen"),
    "mail: deflate without a container is no archive": (2, "nothing tells it from any other bytes"),
}

SUITE = [*xml_cases.cases(), *mail_cases.cases(), *tls_cases.cases()]


def counted(contents: MailContents) -> tuple[Counts, Counts]:
    def of(reports: tuple[object, ...]) -> Counts:
        return tuple((one.read, one.kept, one.repaired, one.dropped) for one in reports)  # type: ignore[attr-defined]

    return of(contents.reports), of(contents.tls_reports)


def kept(case: Case) -> int:
    contents = read_mail(case.raw)
    return sum(report.kept for report in (*contents.reports, *contents.tls_reports))


def defects(contents: MailContents) -> bool:
    reports = (*contents.reports, *contents.tls_reports)
    return any(report.defects for report in reports) or bool(contents.unreadable)


def test_the_suite_is_large_enough_and_names_each_case_once() -> None:
    names = {case.name for case in SUITE}
    assert len(names) == len(SUITE) >= 150


@pytest.mark.parametrize("case", SUITE, ids=lambda case: case.name)
def test_what_a_person_could_read_is_read(case: Case) -> None:
    contents = read_mail(case.raw)
    assert counted(contents) == (case.reports, case.tls)
    assert tuple(file.reason for file in contents.unreadable) == case.refused
    assert kept(case) == case.person - LOST.get(case.name, (0, ""))[0]
    assert len(contents.ignored) == case.failures
    assert contents.failure_reports == ()
    assert defects(contents) == case.defects


def test_of_all_that_a_person_could_read_nearly_everything_is_kept() -> None:
    """Also a record less kept, or a case more in which we keep less, must be looked at and stated here."""
    assert LOST.keys() <= {case.name for case in SUITE}
    assert (sum(kept(case) for case in SUITE), sum(case.person for case in SUITE)) == (893, 905)


@pytest.mark.parametrize("case", [case for case in SUITE if case.name in LOST], ids=lambda case: case.name)
def test_what_is_lost_is_told(case: Case) -> None:
    """Each is a record that was counted as dropped, or a file that is named as not read."""
    contents = read_mail(case.raw)
    dropped = sum(report.dropped for report in (*contents.reports, *contents.tls_reports))
    assert dropped >= LOST[case.name][0] or contents.unreadable


@pytest.mark.parametrize("case", list(xml_cases.cases()), ids=lambda case: case.name)
def test_records_say_what_stands_in_them(case: Case) -> None:
    """Whatever is odd about a report, its records keep their sources, counts and results."""
    allowed = {("192.0.2.1", 3), ("192.0.2.2", 4), ("2001:db8::3", 5)}
    odd = {("192.0.2.2", count) for count in (0, 1000, 2147483648)} | {("fe80::1", 4), ("198.51.100.1", 4)}
    for record in read_mail(case.raw).reports[0].records:
        assert (record.source_ip, record.count) in allowed | odd
        assert record.said.dkim in ("pass", "unknown")
        assert record.said.spf in ("fail", "unknown")


def without_short_ways(patch: pytest.MonkeyPatch) -> None:
    """From here on the parser gets all of the XML."""
    patch.setattr(strict, "_PATTERNS", wording.Patterns())
    patch.setattr(strict, "of_text", lambda _: None)
    patch.setattr(strict, "element_of_text", lambda *_: None)
    patch.setattr(strict, "_OPENING", re.compile(b"nothing begins like this"))


@pytest.mark.parametrize("case", SUITE, ids=lambda case: case.name)
def test_the_short_ways_and_the_parsers_read_the_same(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    short = read_mail(case.raw)
    without_short_ways(monkeypatch)
    assert read_mail(case.raw) == short
    monkeypatch.setattr(unpack, "plain_leaves", lambda *_: None)
    assert read_mail(case.raw) == short


def test_nearly_every_mail_of_a_reporter_goes_the_short_way() -> None:
    names = ("gzip", "zip", "bare", "text first", "text last", "multipart/report", "text and HTML", "related in mixed")
    plain = [mail_cases.GOOD[name] for name in (*names, "text in quoted-printable")]
    assert all(plainmail.plain_leaves(raw, unpack_limits()) for raw in plain)


def unpack_limits() -> object:
    from mailguard.feedback.limits import DEFAULT_LIMITS

    return DEFAULT_LIMITS


def test_kinds() -> None:
    kinds = {case.name: read_mail(case.raw).kind for case in SUITE}
    assert kinds["xml: plain"] is MailKind.AGGREGATE
    assert kinds["tls: plain"] is MailKind.TLS
    assert kinds["failure: RFC 9991"] is MailKind.FAILURE
    assert kinds["tls: beside an aggregate report"] is MailKind.MIXED
    assert kinds["failure: beside an aggregate report"] is MailKind.MIXED
    assert kinds["mail: a greeting"] is kinds["mail: encrypted zip"] is MailKind.NONE


case_and_place = st.tuples(st.sampled_from(SUITE), st.floats(0, 1))


def check(raw: bytes) -> None:
    """Reading never raises, counts add up, and the short ways read what the parsers read."""
    contents = read_mail(raw, failure_reports=True)
    for report in (*contents.reports, *contents.tls_reports):
        assert report.kept + report.dropped == report.read
        assert report.repaired <= report.kept
        assert len(report.digest) == 32


@settings(max_examples=200)
@given(case_and_place, st.integers(1, 255))
def test_a_flipped_byte(picked: tuple[Case, float], bits: int) -> None:
    raw = bytearray(picked[0].raw)
    if raw:
        raw[int(picked[1] * (len(raw) - 1))] ^= bits
    check(bytes(raw))


@settings(max_examples=200)
@given(case_and_place, st.floats(0, 1), st.binary(max_size=20))
def test_a_piece_cut_out_or_put_in(picked: tuple[Case, float], until: float, new: bytes) -> None:
    raw = picked[0].raw
    begin, end = sorted((int(picked[1] * len(raw)), int(until * len(raw))))
    check(raw[:begin] + new + raw[end:])


@settings(max_examples=100)
@given(case_and_place, case_and_place)
def test_two_halves_of_different_mails(one: tuple[Case, float], other: tuple[Case, float]) -> None:
    first, second = one[0].raw, other[0].raw
    check(first[: int(one[1] * len(first))] + second[int(other[1] * len(second)) :])


xml_texts = st.sampled_from([xml_cases.as_bytes(xml) for xml in xml_cases.CLEAN.values()])


@settings(max_examples=200)
@given(
    xml_texts, st.floats(0, 1), st.integers(1, 255), st.sampled_from([b"", b"<", b">", b"&", b"<!--", b"<row>", b"\r"])
)
def test_the_short_way_through_xml_reads_what_the_parser_reads(text: bytes, at: float, bits: int, new: bytes) -> None:
    place = int(at * (len(text) - 1))
    raw = xml_cases.clean(text[:place] + (new or bytes([text[place] ^ bits])) + text[place + 1 :])
    with pytest.MonkeyPatch.context() as patch:
        short = read_mail(raw)
        without_short_ways(patch)
        assert read_mail(raw) == short


@settings(max_examples=200)
@given(
    xml_texts,
    st.floats(0, 1),
    st.integers(1, 255),
    st.sampled_from([b"", b"<", b">", b"&", b"<!--", b"<row>", b"\r", b"\r\n", b"\0", b"x"]),
)
def test_patterns_read_what_the_parser_reads(text: bytes, at: float, bits: int, new: bytes) -> None:
    place = int(at * (len(text) - 1))
    raw = xml_cases.clean(text[:place] + (new or bytes([text[place] ^ bits])) + text[place + 1 :])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wording, "_WORTH_A_PATTERN", 1)
        wording._wording.cache_clear()
        read_mail(xml_cases.clean(text))
        short = read_mail(raw)
        without_short_ways(patch)
        assert read_mail(raw) == short
    wording._wording.cache_clear()


@settings(max_examples=200)
@given(
    st.sampled_from(list(mail_cases.GOOD.values())),
    st.floats(0, 1),
    st.sampled_from([b"\r\n", b"-", b"\n", b"x", b" ", b'"', b";"]),
)
def test_the_short_way_through_a_mail_finds_what_the_parser_finds(raw: bytes, at: float, new: bytes) -> None:
    place = int(at * len(raw))
    odd = raw[:place] + new + raw[place:]
    with pytest.MonkeyPatch.context() as patch:
        short = read_mail(odd)
        patch.setattr(unpack, "plain_leaves", lambda *_: None)
        assert read_mail(odd) == short


leaves = st.sampled_from(
    [
        mail_cases.TEXT,
        mail_cases.part(mail_cases.PACKED),
        b"Content-Type: application/gzip\r\n" + mail_cases.NO_TYPE,
        b"Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=E5=A0=\r\n=B1",
        b"\r\n",
    ]
)


def multiparts(inside: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Multiparts whose boundaries may be alike, with text before the first delimiter, or cut short."""

    def make(parts: list[bytes], kind: str, boundary: str, before: bytes, missing: int) -> bytes:
        whole = mail_cases.multipart(*parts, kind=kind, boundary=boundary, top=b"")
        return whole.replace(b"\r\n\r\n", b"\r\n\r\n" + before, 1)[: len(whole) + len(before) - missing]

    return st.builds(
        make,
        st.lists(inside, min_size=1, max_size=3),
        st.sampled_from(["mixed", "related", "alternative", "report"]),
        st.sampled_from(["b", "c", "d", "bb"]),
        st.sampled_from([b"", b"", b"\r\n", b"Hello\r\n"]),
        st.sampled_from([0, 0, 0, 2, 4, 8]),
    )


@settings(max_examples=200)
@given(st.recursive(leaves, multiparts, max_leaves=6))
def test_nested_parts_are_cut_as_the_parser_cuts_them(parts: bytes) -> None:
    raw = mail_cases.TOP + parts
    with pytest.MonkeyPatch.context() as patch:
        short = read_mail(raw)
        patch.setattr(unpack, "plain_leaves", lambda *_: None)
        assert read_mail(raw) == short
