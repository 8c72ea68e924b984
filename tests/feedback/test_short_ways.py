"""What the short ways pass by the parser, and what they remember, changes nothing about what is read."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailguard.feedback import salvage, strict, values, wording
from mailguard.feedback.limits import DEFAULT_LIMITS
from mailguard.feedback.mail import read_mail
from mailguard.feedback.report import AggregateReport, DefectKind
from tests.feedback.mails import gzipped_mail, record, report


def read(xml: str) -> AggregateReport:
    return read_mail(gzipped_mail(xml)).reports[0]


@pytest.fixture
def patterns(monkeypatch: pytest.MonkeyPatch) -> wording.Patterns:
    """Patterns that are made of the first record of its kind, and of no other test's."""
    wording._wording.cache_clear()
    monkeypatch.setattr(wording, "_WORTH_A_PATTERN", 1)
    fresh = wording.Patterns()
    monkeypatch.setattr(strict, "_PATTERNS", fresh)
    return fresh


def test_a_plain_report_needs_no_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strict, "XMLPullParser", None)
    found = read(report(record("192.0.2.1", 3), record("192.0.2.2", 4)))
    assert [(one.source_ip, one.count) for one in found.records] == [("192.0.2.1", 3), ("192.0.2.2", 4)]
    assert found.defects == ()


@pytest.mark.parametrize(
    ("root", "why"),
    [
        ('<feedback a="1" a="2">', "duplicate attribute"),
        ('<feedback xs:a="1">', "unbound prefix"),
        ('<feedback xmlns:xs="urn:x" xs:a="1">', ""),
        ("<feedback  >", ""),
        ("<feedback a='<'>", "not well-formed (invalid token)"),
    ],
)
def test_a_root_is_what_the_parser_says(root: str, why: str) -> None:
    found = read(report().replace("<feedback>", root))
    assert found.kept == 1
    assert [(defect.kind, defect.detail) for defect in found.defects] == (
        [(DefectKind.NOT_WELL_FORMED, why)] if why else []
    )


@pytest.mark.parametrize("end", ["</feedback>", "</feedback>\n \n", "</feedback >", "<!-- end --></feedback>"])
def test_a_report_ends_where_its_root_does(end: str) -> None:
    assert read(report().replace("</feedback>", end)).defects == ()


@pytest.mark.parametrize("end", ["", "</Feedback>", "</feedbac>", "</feedback><more/>", "</feedback>more", "text"])
def test_an_end_that_is_none_is_told(end: str) -> None:
    found = read(report().replace("</feedback>", end))
    assert found.kept == 1
    assert [defect.kind for defect in found.defects][:1] == [DefectKind.NOT_WELL_FORMED]


def test_a_pattern_reads_texts_and_nothing_else(patterns: wording.Patterns) -> None:
    plain, spaced = record("192.0.2.1", 1), record("192.0.2.2", 2).replace("><", ">\r\n\t<")
    found = read(report(plain, plain, spaced, record("192.0.2.3", " 3 "), record("192.0.2.4", "4&#48;")))
    assert [one.count for one in found.records] == [1, 1, 2, 3, 40]
    assert len(patterns._wordings) == 1


def test_a_pattern_leaves_a_long_record_to_the_bounds(patterns: wording.Patterns) -> None:
    long = record("192.0.2.2").replace(
        "clinic.example.jp</header_from>", "x" * wording.LONGEST_PLAIN + "</header_from>"
    )
    found = read(report(record(), long, record("192.0.2.3")))
    assert [one.source_ip for one in found.records] == ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
    assert [defect.kind for defect in found.defects] == [DefectKind.TOO_LONG]


def test_only_eight_patterns_are_tried(patterns: wording.Patterns) -> None:
    read(report(*(record().replace("envelope_to", "").replace("</row>", f"</row><x{n}>1</x{n}>") for n in range(20))))
    assert len(patterns._wordings) == 8


def test_what_was_read_under_one_bound_is_not_taken_for_another() -> None:
    raw = gzipped_mail(report())
    assert read_mail(raw).reports[0].defects == ()
    short = read_mail(raw, replace(DEFAULT_LIMITS, text_chars=10)).reports[0]
    assert DefectKind.TOO_LONG in {defect.kind for defect in short.defects}
    assert short.records[0].said.header_from == "clinic.exa"
    assert read_mail(raw).reports[0].records[0].said.header_from == "clinic.example.jp"


def test_what_leaves_something_to_note_is_noted_each_time() -> None:
    odd = record().replace("<dkim>pass</dkim>", "<dkim>PASS</dkim>").replace("softfail", "hardfail")
    for _ in range(2):
        found = read(report(odd, odd))
        assert (found.repaired, len(found.defects)) == (2, 4)


addresses = st.ip_addresses().map(str) | st.lists(
    st.sampled_from(["0", "1", "a0", "ffff", "2001", "abcde", "00", "0a", "FE80", "", ""]), min_size=1, max_size=10
).map(":".join)


@given(addresses)
@example("2001:db8::1")
@example("2001:db8:1:2:3:4:5:6")
@example("::1:2:3:4:5:6")
@example("1:2:3:4:5:6::")
@example("1:2:3::4:5:6:7")  # one group of zero is no "::"
@example("1:2::3:0:0:0:4")
@example("::ffff:c000:201")
@example("2001:db8::1\n")
def test_a_plain_address_is_what_the_library_makes_of_it(text: str) -> None:
    assert values.address_of.__wrapped__(text) == values._odd_address_of(text)


def test_usual_sources_are_plain() -> None:
    assert all(map(values._PLAIN_IPV6.fullmatch, ("2001:db8::1", "2001:db8:1:2:3:4:5:6", "::1", "2001:db8:a::")))


pieces_of_xml = st.lists(
    st.sampled_from(
        ["<record>", "</RECORD>", "<Report_Metadata a='1'", ">", "<policy_publi\u017fhed>", "<a><b/></a>" * 9]
    ),
    max_size=12,
).map("".join)


@given(pieces_of_xml, st.integers(1, 60))
@example("<x>" * 30 + "<record>" + "<y/>" * 40 + "</record>", 7)
def test_looking_for_words_first_misses_no_part(text: str, size: int) -> None:
    chunks = [text[at : at + size] for at in range(0, len(text), size)]
    found = list(salvage._parts(chunks, DEFAULT_LIMITS))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(salvage, "_WORDS", ("",))
        assert list(salvage._parts(chunks, DEFAULT_LIMITS)) == found
