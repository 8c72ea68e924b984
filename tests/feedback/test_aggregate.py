"""Aggregate reports in the shapes of RFC 7489, of RFC 9990, and in all the shapes that nobody wrote down."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.feedback.aggregate import read_aggregate
from mailguard.feedback.limits import Limits
from mailguard.feedback.report import AggregateReport, DefectKind, Unreadable
from mailguard.feedback.values import (
    Alignment,
    AuthResult,
    Disposition,
    address_of,
    auth_result_of,
    count_of,
    domain_of,
    moment_of,
)
from tests.feedback.mails import METADATA, POLICY, record, report


def read(xml: str | bytes, limits: Limits | None = None, size: int = 65536) -> AggregateReport | Unreadable:
    data = xml.encode() if isinstance(xml, str) else xml
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    return read_aggregate(lambda: pieces, limits=limits or Limits())


def good(xml: str | bytes, limits: Limits | None = None, size: int = 65536) -> AggregateReport:
    found = read(xml, limits, size)
    assert isinstance(found, AggregateReport), found
    return found


def kinds(found: AggregateReport) -> set[DefectKind]:
    return {defect.kind for defect in found.defects}


def test_a_plain_report_is_read_whole() -> None:
    found = good(report(record("192.0.2.1", 3), record("2001:db8::1", 4)))
    assert (found.org_name, found.email, found.report_id) == ("reporter.example", "dmarc@reporter.example", "r-1")
    assert (found.begin, found.end) == (1790000000, 1790086399)
    assert (found.policy.domain, found.policy.p, found.policy.sp) == ("clinic.example.jp", "none", None)
    assert (found.read, found.kept, found.repaired, found.dropped) == (2, 2, 0, 0)
    assert found.defects == ()
    source_ip, count, said = found.records[0]
    assert (source_ip, count, said.disposition) == ("192.0.2.1", 3, Disposition.NONE)
    assert (said.dkim, said.spf, said.passes) == (Alignment.PASS, Alignment.FAIL, True)
    assert said.dkim_results[0].selector == "s1"
    assert (said.spf_results[0].domain, said.spf_results[0].result) == ("host.example.net", AuthResult.SOFTFAIL)
    assert said.envelope_from is None


def test_rfc_9990_shape_with_its_namespace_and_new_elements() -> None:
    found = good("""<?xml version="1.0" encoding="UTF-8"?>
        <feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0"><version>1.0</version>
        <report_metadata><email>a@b.example</email><org_name>B</org_name><report_id>1@b.example</report_id>
        <generator>Reporter 2</generator><error lang="en">lame delegation</error>
        <date_range><end>2</end><begin>1</begin></date_range></report_metadata>
        <policy_published><domain>clinic.example.jp</domain><p>reject</p><np>reject</np><testing>y</testing>
        <discovery_method>treewalk</discovery_method></policy_published>
        <extension><x:y xmlns:x="urn:x"/></extension>
        <record><row><count>5</count><source_ip>192.0.2.9</source_ip><policy_evaluated><disposition>pass</disposition>
        <dkim>pass</dkim><spf>pass</spf><reason><type>policy_test_mode</type><comment lang="en">t=y</comment></reason>
        </policy_evaluated></row><identifiers><header_from>clinic.example.jp</header_from><envelope_from/></identifiers>
        <auth_results/></record></feedback>""")
    assert found.defects == ()
    assert (found.version, found.generator, found.errors) == ("1.0", "Reporter 2", ("lame delegation",))
    assert (found.policy.np, found.policy.testing, found.policy.discovery_method) == ("reject", "y", "treewalk")
    only = found.records[0].said
    assert (only.disposition, only.reasons[0].type, only.envelope_from) == (Disposition.PASS, "policy_test_mode", "")


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_pieces_of_any_size_give_the_same_report(size: int) -> None:
    xml = report(record("192.0.2.1"), record("not an address"), record("192.0.2.3"))
    assert good(xml, size=size) == good(xml)
    broken = xml.replace("<feedback>", "<feedback>&nbsp;")
    assert good(broken, size=size).records == good(broken).records == good(xml).records


@pytest.mark.parametrize(
    "root",
    [
        '<feedback xmlns="http://dmarc.org/dmarc-xml/0.1">',
        '<feedback xmlns:xsd="http://www.w3.org/2001/XMLSchema" xsd:x="1">',
        "\n\n<?xml version='1.0'?>\n<feedback>",
        "<!-- hello --><feedback>",
    ],
)
def test_namespaces_and_blank_lines_do_not_matter(root: str) -> None:
    assert good(report().replace("<feedback>", root)).defects == ()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_encodings(encoding: str) -> None:
    data = report().replace("reporter.example<", "報告<").encode(encoding)
    if encoding == "utf-16-le":
        data = b"\xff\xfe" + data
    assert good(data).org_name == "報告"


def test_shift_jis_is_read_although_the_parser_cannot() -> None:
    xml = '<?xml version="1.0" encoding="Shift_JIS"?>' + report().replace("reporter.example<", "報告<")
    assert good(xml.encode("shift_jis")).org_name == "報告"


def test_prefixed_elements_with_and_without_their_namespace() -> None:
    prefixed = report().replace("</", "</d:").replace("<", "<d:").replace("<d:/d:", "</d:")
    assert good(prefixed.replace("<d:feedback>", '<d:feedback xmlns:d="urn:d">')).defects == ()
    found = good(prefixed)
    assert (found.kept, found.repaired) == (1, 1)


def test_one_bad_record_costs_that_record_only() -> None:
    found = good(report(record("192.0.2.1"), record("somewhere"), record("192.0.2.3", "many"), record("192.0.2.4")))
    assert [kept.source_ip for kept in found.records] == ["192.0.2.1", "192.0.2.4"]
    assert (found.read, found.kept, found.dropped, found.repaired) == (4, 2, 2, 0)
    assert [defect.place for defect in found.defects] == ["record 2/source_ip", "record 3/count"]


@pytest.mark.parametrize("broken", ["<record><row></record>", "<record><row", "<record></row></record>", "<record>"])
def test_markup_that_is_broken_costs_that_record_only(broken: str) -> None:
    found = good(report(record("192.0.2.1"), broken, record("192.0.2.3")))
    assert [kept.source_ip for kept in found.records] == ["192.0.2.1", "192.0.2.3"]
    assert DefectKind.NOT_WELL_FORMED in kinds(found)


def test_a_report_that_was_cut_short_keeps_its_whole_records() -> None:
    xml = report(record("192.0.2.1"), record("192.0.2.2"))
    found = good(xml[: xml.rindex("<auth_results>")])
    assert [kept.source_ip for kept in found.records] == ["192.0.2.1"]
    assert (found.read, found.dropped) == (2, 1)


def test_every_cut_gives_a_report_or_says_why_not() -> None:
    xml = report(record("192.0.2.1"), record("192.0.2.2"))
    kept = [found.kept for end in range(len(xml)) if isinstance(found := read(xml[:end]), AggregateReport)]
    assert kept == sorted(kept)
    assert kept[-1] == 2


@pytest.mark.parametrize(
    ("wrong", "header_from"),
    [("bad<name", "bad<name"), ("a&b", "a&b"), ("a&nbsp;b", "a&nbsp;b"), ("<x@y.example>", "x@y.example")],
)
def test_stray_markup_in_a_text_is_read_as_text(wrong: str, header_from: str) -> None:
    bad = record("192.0.2.1").replace(">clinic.example.jp</header_from>", f">{wrong}</header_from>")
    found = good(report(bad, record("192.0.2.2")))
    assert [kept.said.header_from for kept in found.records] == [header_from, "clinic.example.jp"]
    assert (found.repaired, found.dropped) == (1, 0)


def test_bytes_that_are_no_text_are_replaced_and_said() -> None:
    data = report(record("192.0.2.1"), record("192.0.2.2")).encode().replace(b"host.example.net", b"host\xff", 1)
    found = good(data)
    assert (found.kept, found.repaired) == (2, 1)
    assert DefectKind.UNDECODABLE in kinds(found)


def test_words_in_any_case_are_understood_and_counted_as_repaired() -> None:
    found = good(report(record().replace(">pass<", ">Pass<")))
    assert found.records[0].said.dkim is Alignment.PASS
    assert (found.repaired, kinds(found)) == (1, {DefectKind.BENT})


def test_what_is_not_said_is_unknown_and_never_a_pass() -> None:
    found = good(report("<record><row><source_ip>192.0.2.1</source_ip><count>2</count></row></record>"))
    only = found.records[0].said
    assert (only.disposition, only.dkim, only.spf) == (Disposition.UNKNOWN, Alignment.UNKNOWN, Alignment.UNKNOWN)
    assert not only.passes
    assert (only.header_from, found.repaired) == ("", 1)


@pytest.mark.parametrize(
    ("xml", "reason"),
    [
        ("", "not-a-report"),
        ("<html><body>feedback</body></html>", "not-a-report"),
        (report(record().replace("<header_from>", "<header>"), policy=""), "no-policy-domain"),
        (report(metadata=METADATA.replace("1790000000", "soon").replace("1790086399", "")), "no-date-range"),
        ('<!DOCTYPE feedback [<!ENTITY a "b">]>' + report(), "doctype"),
        ('&<!DOCTYPE feedback [<!ENTITY a "b">]>' + report(), "doctype"),
        ("<!-- " + "x" * 70_000 + " -->" + report(), "prolog_bytes"),
        ("<feedback>" + "<a>" * 1000, "depth"),
        ("<feedback>" + "<a/>" * 2000, "others"),
        ("<feedback " + " ".join(f"a{n}=''" for n in range(30)) + "/>", "attributes"),
        ("<feedback><" + "a" * 2_000_000, "record_bytes"),
        ("<feedback>" + "a" * 2_000_000, "record_bytes"),
        ("<feedback><record>" + "<a/>" * 500_000, "record_elements"),
        ("<feedback>" + "<record/>" * 20_000, "dropped"),
        ("<feedback>&" + "<record></record>" * 20_000, "dropped"),
    ],
)
def test_what_is_no_report_says_why(xml: str, reason: str) -> None:
    assert read(xml) == Unreadable("", reason)


def test_a_document_type_in_utf_16_is_seen_too() -> None:
    assert read(('<!DOCTYPE feedback [<!ENTITY a "b">]>' + report()).encode("utf-16")) == Unreadable("", "doctype")


def test_a_record_with_too_many_elements_is_dropped() -> None:
    found = good(report(record("192.0.2.1"), record("192.0.2.2").replace("<row>", "<row>" + "<a/>" * 3000)))
    assert [kept.source_ip for kept in found.records] == ["192.0.2.1"]
    assert found.dropped == 1


def test_elements_cost_nothing_where_they_bring_records() -> None:
    limits = Limits(spare_elements=50, elements_of_record=40)
    commented = "<!-- for the parser -->" + record()
    assert good(report(*[commented] * 200), limits).kept == 200
    assert good(report(*[record().replace("<row>", "<row>&")] * 200), limits).repaired == 200
    assert good(report(commented, *["<x/>"] * 20), limits).kept == 1
    assert read(report(commented, *["<x>" + "<a/>" * 9 + "</x>"] * 9), limits) == Unreadable("", "elements")
    assert read(report(*[commented] * 200, *["<x>" + "<a/>" * 9 + "</x>"] * 9), limits) == Unreadable("", "elements")


def test_bad_records_cost_a_report_only_where_they_are_many_and_most() -> None:
    limits = Limits(dropped=20, mostly_dropped=5)
    assert good(report(*[record(), "<record/>"] * 20), limits).dropped == 20
    assert good(report("<record/>" * 5, record()), limits).dropped == 5
    assert good(report(*[record()] * 6, "<record/>" * 6), limits).dropped == 6
    for many in (["<record/>"] * 6, [record()] * 5 + ["<record/>"] * 6, [record(), "<record/>"] * 21):
        assert read(report(*many), limits) == Unreadable("", "dropped")


def test_reading_stops_at_the_bound_on_records_and_says_so() -> None:
    found = good(report(*(record() for _ in range(9))), Limits(records=5))
    assert (found.read, found.kept, found.dropped) == (5, 5, 0)
    assert DefectKind.TOO_MANY in kinds(found)


def test_defects_beyond_their_bound_are_counted() -> None:
    found = good(report(*(record("x") for _ in range(9))), Limits(defects=3))
    assert (len(found.defects), found.defects_omitted) == (3, 6)


def test_long_texts_are_cut() -> None:
    found = good(report(metadata=METADATA.replace("reporter.example<", "r" * 5000 + "<")))
    assert found.org_name == "r" * 1000
    assert DefectKind.TOO_LONG in kinds(found)


def test_a_report_without_records_is_read_and_says_so() -> None:
    found = good(f"<feedback>{METADATA}{POLICY}</feedback>")
    assert (found.read, kinds(found)) == (0, {DefectKind.MISSING})


@pytest.mark.parametrize(
    ("text", "value", "repaired"),
    [("7", 7, False), (" 7 ", 7, False), ("1.0", 1, True), ("0", 0, False)]
    + [(text, None, True) for text in ("-1", "", "1.5", "1_0", "٣", "99999999999", "9" * 30, "1e3")],
)
def test_counts(text: str, value: int | None, repaired: bool) -> None:
    assert count_of(text, 2**32) == (value, repaired)


@pytest.mark.parametrize(
    ("text", "value", "repaired"),
    [
        ("192.0.2.1", "192.0.2.1", False),
        ("2001:DB8:0::1", "2001:db8::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("fe80::1%eth0", "fe80::1", True),
        ("[2001:db8::1]", "2001:db8::1", True),
        ("192.0.2.1, 192.0.2.2", None, True),
        ("", None, True),
    ],
)
def test_addresses(text: str, value: str | None, repaired: bool) -> None:
    assert address_of(text) == (value, repaired)


@pytest.mark.parametrize(
    ("text", "value", "repaired"),
    [
        ("1790000000", 1790000000, False),
        ("1790000000.5", 1790000000, True),
        ("1790000000000", 1790000000, True),
        ("2026-09-21T13:33:20Z", 1789997600, True),
        ("2026-09-21 13:33:20", 1789997600, True),
        ("yesterday", None, True),
        ("-5", None, True),
    ],
)
def test_moments(text: str, value: int | None, repaired: bool) -> None:
    assert moment_of(text) == (value, repaired)


def test_domains_become_a_labels() -> None:
    assert domain_of("Clinic.Example.JP.")[0] == "clinic.example.jp"
    assert domain_of("病院.example.jp")[0] == "xn--0rys90e.example.jp"
    assert domain_of("a.example, b.example") == ("a.example, b.example", False)


def test_words_of_old_drafts() -> None:
    assert auth_result_of("HardFail") == (AuthResult.FAIL, True)
    assert auth_result_of("error") == (AuthResult.TEMPERROR, True)
    assert auth_result_of("wonderful") == (AuthResult.UNKNOWN, True)


@given(st.text(max_size=300), st.integers(0, 400))
def test_never_raises_whatever_stands_in_the_file(text: str, at: int) -> None:
    xml = report(record(), record())
    read(xml[:at] + text + xml[at:])
    read(text)


@given(st.binary(max_size=300), st.integers(0, 400))
def test_never_raises_on_any_bytes(data: bytes, at: int) -> None:
    xml = report(record(), record()).encode()
    found = read(xml[:at] + data + xml[at:])
    if isinstance(found, AggregateReport):
        assert found.read == found.kept + found.dropped
