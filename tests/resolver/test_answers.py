"""What a response means: every status, every record type, CNAME chains, denials and non-denials."""

from __future__ import annotations

from itertools import pairwise

import dns.flags
import dns.message
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.inquiry import Mx, Question, RRType, Status, Txt
from mailguard.names import DomainName, name
from mailguard.resolver.wire import (
    MAX_RECORDS,
    Reading,
    answers_question,
    build_query,
    domain_name,
    encode_question,
    read_response,
)
from tests.hostile_dns import reply, respond

Q = Question(name("clinic.example.jp"), RRType.TXT)
SOA = "example.jp. 900 IN SOA ns.example.jp. admin.example.jp. 1 7200 900 1209600 300"


def query(question: Question = Q, query_id: int = 4711) -> dns.message.Message:
    octets = encode_question(question)
    assert octets is not None
    return dns.message.from_wire(build_query(query_id, octets, edns=True))


def read(*records: str, question: Question = Q, **options: object) -> Reading:
    return read_response(question, reply(query(question), *records, **options))


class TestQuery:
    def test_asks_for_recursion_and_for_the_ad_flag_and_takes_1232_octets(self) -> None:
        sent = query()
        assert sent.id == 4711
        assert sent.flags == dns.flags.RD | dns.flags.AD
        assert sent.question == [dns.rrset.RRset(dns.name.from_text("clinic.example.jp."), 1, 16)]
        assert (sent.edns, sent.payload, sent.ednsflags) == (0, 1232, 0)

    def test_without_edns_it_is_bare(self) -> None:
        octets = encode_question(Q)
        assert octets is not None
        assert dns.message.from_wire(build_query(1, octets, edns=False)).edns == -1

    def test_escapes_become_octets(self) -> None:
        octets = encode_question(Question(name(r"a\.b\032\200.example"), RRType.A))
        assert octets is not None
        assert octets.startswith(b"\x05a.b \xc8\x07example\x00")

    @pytest.mark.parametrize(
        "owner",
        ["", "a..example", "x" * 64 + ".example", ".".join(["x" * 63] * 4), "病院.example", r"a\999.example", "a\\"],
    )
    def test_what_fits_into_no_question_is_not_encoded(self, owner: str) -> None:
        assert encode_question(Question(DomainName(owner), RRType.A)) is None

    @given(st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=8))
    def test_names_survive_the_way_out_and_back(self, labels: list[bytes]) -> None:
        owner = domain_name((*labels, b""))
        octets = encode_question(Question(owner, RRType.A))
        assert octets == b"".join(bytes([len(x)]) + x.lower() for x in labels) + b"\x00\x00\x01\x00\x01"

    @given(st.text(max_size=300))
    def test_no_name_raises(self, text: str) -> None:
        encode_question(Question(name(text), RRType.A))


class TestRecords:
    @pytest.mark.parametrize(
        ("rrtype", "published", "record"),
        [
            (RRType.A, "192.0.2.1", "192.0.2.1"),
            (RRType.AAAA, "2001:0DB8::0001", "2001:db8::1"),
            (RRType.MX, "10 Mail.Example.JP.", Mx(10, name("mail.example.jp"))),
            (RRType.MX, "0 .", Mx(0, name(""))),
            (RRType.NS, "ns.example.jp.", name("ns.example.jp")),
            (RRType.PTR, "host.example.jp.", name("host.example.jp")),
            (RRType.TXT, r'"v=spf1 " "-all" "\230\227\133\255"', Txt((b"v=spf1 ", b"-all", b"\xe6\xe3\x85\xff"))),
            (RRType.SPF, '"v=spf1 -all"', Txt((b"v=spf1 -all",))),
            (RRType.SOA, "ns.example.jp. a.example.jp. 1 2 3 4 5", "ns.example.jp. a.example.jp. 1 2 3 4 5"),
            (RRType.TLSA, "3 1 1 " + "ab" * 32, "3 1 1 " + "ab" * 32),
        ],
    )
    def test_each_type_has_its_form(self, rrtype: RRType, published: str, record: object) -> None:
        question = Question(Q.name, rrtype)
        reading = read(f"clinic.example.jp. 300 IN {rrtype} {published}", question=question)
        assert reading == Reading(Status.DATA, 0, (record,), (), 300, False)
        assert type(reading.records[0]) is type(record)

    def test_upper_case_in_the_response_is_the_same_name(self) -> None:
        assert read('CLINIC.Example.jp. 300 IN TXT "x"').records == (Txt((b"x",)),)

    def test_a_name_written_with_needless_escapes_is_the_same_name(self) -> None:
        question = Question(name(r"a\.b.example"), RRType.TXT)
        assert read(r'a\.b.example. 300 IN TXT "x"', question=question).status is Status.DATA

    def test_records_of_other_names_are_not_the_answer(self) -> None:
        reading = read('evil.example. 300 IN TXT "v=spf1 +all"', authority=[SOA])
        assert (reading.status, reading.records) == (Status.NO_DATA, ())

    def test_the_ad_flag_is_kept(self) -> None:
        record = 'clinic.example.jp. 300 IN TXT "x"'
        assert read(record, flags=dns.flags.RA | dns.flags.AD).authenticated
        assert not read(record).authenticated


class TestAbsence:
    def test_nxdomain(self) -> None:
        assert read(rcode=3, authority=[SOA]) == Reading(Status.NXDOMAIN, 3, ttl_s=300)

    def test_no_data_is_cached_for_the_soas_minimum(self) -> None:
        assert read(authority=[SOA]) == Reading(Status.NO_DATA, 0, ttl_s=300)

    def test_the_soas_own_ttl_counts_where_it_is_smaller(self) -> None:
        assert read(authority=[SOA.replace("900 IN", "60 IN")]).ttl_s == 60

    def test_a_recursive_server_that_drops_the_authority_section_is_believed(self) -> None:
        assert read() == Reading(Status.NO_DATA, 0)

    def test_an_authoritative_server_is_believed(self) -> None:
        assert read(flags=dns.flags.AA).status is Status.NO_DATA

    def test_a_lame_server_is_not(self) -> None:
        assert read(flags=0) == Reading(Status.ERROR, 0, note="lame")

    def test_a_referral_is_no_denial(self) -> None:
        referral = ["example.jp. 300 IN NS ns.example.jp."]
        assert read(authority=referral, flags=0) == Reading(Status.ERROR, 0, note="lame")
        assert read(authority=referral, flags=dns.flags.RA) == Reading(Status.ERROR, 0, note="lame")


class TestFailures:
    @pytest.mark.parametrize(
        ("rcode", "status"),
        [(1, Status.ERROR), (2, Status.SERVFAIL), (4, Status.ERROR), (5, Status.REFUSED), (9, Status.ERROR)],
    )
    def test_each_code_has_its_status(self, rcode: int, status: Status) -> None:
        assert read(rcode=rcode)[:2] == (status, rcode)

    def test_badvers_stands_in_the_opt_record(self) -> None:
        response = respond(query())
        response.set_rcode(dns.rcode.BADVERS)
        reading = read_response(Q, response.to_wire())
        assert reading[:2] == (Status.ERROR, 16)
        assert reading.wants_plain


class TestChains:
    def test_a_chain_inside_the_response_is_followed(self) -> None:
        reading = read(
            'c.example. 30 IN TXT "x"',
            "clinic.example.jp. 300 IN CNAME b.example.",
            "b.example. 60 IN CNAME c.example.",
        )
        assert reading == Reading(Status.DATA, 0, (Txt((b"x",)),), (name("b.example"), name("c.example")), 30)

    def test_a_chain_that_ends_nowhere_is_nxdomain_of_its_end(self) -> None:
        reading = read("clinic.example.jp. 300 IN CNAME gone.example.", rcode=3)
        assert (reading.status, reading.aliases) == (Status.NXDOMAIN, (name("gone.example"),))

    def test_a_chain_that_goes_on_elsewhere_is_unfinished(self) -> None:
        assert read("clinic.example.jp. 300 IN CNAME b.example.", authority=[SOA], flags=dns.flags.AA).unfinished

    def test_a_chain_whose_end_is_vouched_for_is_finished(self) -> None:
        soa = SOA.replace("example.jp. 900", "example. 900")
        reading = read("clinic.example.jp. 300 IN CNAME b.example.", authority=[soa])
        assert (reading.status, reading.unfinished, reading.ttl_s) == (Status.NO_DATA, False, 300)

    def test_a_cname_question_is_answered_by_the_cname_itself(self) -> None:
        question = Question(Q.name, RRType.CNAME)
        reading = read("clinic.example.jp. 300 IN CNAME b.example.", question=question)
        assert reading == Reading(Status.DATA, 0, (name("b.example"),), (), 300)

    def test_a_loop_is_an_error(self) -> None:
        records = ["clinic.example.jp. 300 IN CNAME b.example.", "b.example. 300 IN CNAME clinic.example.jp."]
        assert read(*records)[0::7] == (Status.ERROR, "cname-loop")

    def test_an_endless_chain_is_an_error(self) -> None:
        names = ["clinic.example.jp.", *(f"n{number}.example." for number in range(40))]
        records = [f"{owner} 300 IN CNAME {target}" for owner, target in pairwise(names)]
        assert read(*records)[0::7] == (Status.ERROR, "cname-chain")


class TestHostileOctets:
    """Whatever comes, reading ends, and never raises."""

    WHOLE = reply(query(), 'clinic.example.jp. 300 IN TXT "v=spf1 -all"', authority=[SOA])

    def test_cut_short_anywhere_it_is_an_error_or_the_same_answer(self) -> None:
        whole = read_response(Q, self.WHOLE)
        for size in range(12, len(self.WHOLE)):
            assert read_response(Q, self.WHOLE[:size]) in (Reading(Status.ERROR, note="malformed"), whole)

    @given(st.binary(min_size=12, max_size=600))
    def test_garbage(self, octets: bytes) -> None:
        assert isinstance(read_response(Q, octets), Reading)

    @given(st.binary(max_size=200), st.integers(0, 3))
    def test_garbage_behind_a_proper_question(self, octets: bytes, answers: int) -> None:
        head = self.WHOLE[:2] + b"\x81\x80\x00\x01" + bytes([0, answers]) + b"\x00\x01\x00\x01"
        question = encode_question(Q)
        assert question is not None
        assert isinstance(read_response(Q, head + question + octets), Reading)

    def test_oversized_counts(self) -> None:
        assert read_response(Q, self.WHOLE[:6] + b"\xff\xff\xff\xff\xff\xff" + self.WHOLE[12:]).note == "malformed"

    def test_more_records_than_anybody_needs(self) -> None:
        question = Question(Q.name, RRType.A)
        many = [f"clinic.example.jp. 300 IN A 192.0.{n // 256}.{n % 256}" for n in range(MAX_RECORDS + 1)]
        assert read(*many, question=question).note == "malformed"
        assert len(read(*many[1:], question=question).records) == MAX_RECORDS

    def test_64_kilobytes_of_txt(self) -> None:
        strings = " ".join(['"' + "x" * 255 + '"'] * 250)
        (record,) = read(f"clinic.example.jp. 300 IN TXT {strings}").records
        assert isinstance(record, Txt)
        assert len(record.joined) == 63_750

    def test_a_name_that_points_at_itself(self) -> None:
        question = encode_question(Q)
        assert question is not None
        loop = b"\xc0" + bytes([12 + len(question)]) + b"\x00\x10\x00\x01\x00\x00\x00\x00\x00\x02\x01x"
        octets = self.WHOLE[:6] + b"\x00\x01\x00\x00\x00\x00" + question + loop
        assert read_response(Q, octets).note == "malformed"


class TestRecognition:
    """Only a response to this very question counts."""

    OCTETS = encode_question(Q) or b""

    def test_a_response_with_the_question_in_another_case_is_one(self) -> None:
        whole = reply(query())
        assert answers_question(whole.replace(b"clinic", b"cLiNiC"), self.OCTETS)

    @pytest.mark.parametrize("size", [0, 1, 2, 11, 12, 20])
    def test_a_stump_is_none(self, size: int) -> None:
        assert not answers_question(reply(query())[:size], self.OCTETS)

    def test_another_name_type_opcode_or_a_query_is_none(self) -> None:
        assert not answers_question(reply(query(Question(name("clinic.example.jq"), RRType.TXT))), self.OCTETS)
        assert not answers_question(reply(query(Question(Q.name, RRType.A))), self.OCTETS)
        assert not answers_question(query().to_wire(), self.OCTETS)
        whole = reply(query())
        assert not answers_question(whole[:2] + bytes([whole[2] | 0x28]) + whole[3:], self.OCTETS)

    def test_without_a_question_only_failures_can_be_said(self) -> None:
        head = b"\x12\x67\x80"
        assert answers_question(head + b"\x01" + bytes(8), self.OCTETS)
        assert not answers_question(head + b"\x00" + bytes(8), self.OCTETS)
        assert not answers_question(head + b"\x03" + bytes(8), self.OCTETS)
