"""The demonstration's name server answers as an authoritative server should."""

from __future__ import annotations

import asyncio
import struct

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdatatype
import dns.zone
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.demo.dns_server import DnsServer, Zones, load_zones, parse_zone, respond, respond_to_wire

HEAD = "$TTL 300\n@ IN SOA ns.example.net. hostmaster.example.net. 1 3600 900 1209600 60\n@ NS ns.example.net.\n"


def zones(**texts: str) -> Zones:
    made = {}
    for label, text in texts.items():
        origin = dns.name.root if label == "root" else dns.name.from_text(f"{label}.example")
        made[origin] = parse_zone(HEAD + text + "\n", origin)
    return made


ZONES = zones(
    root="",
    clinic="""
@ TXT "v=spf1 -all"
www CNAME host.other.example.
loop CNAME loop
deep.below A 192.0.2.1
* TXT "any"
*.wild TXT "wild"
has.wild A 192.0.2.2
big TXT """
    + " ".join([f'"{"x" * 250}"'] * 8),
    other='host A 192.0.2.9\nhost TXT "here"\n',
)


def ask(name: str, rdtype: str = "TXT", source: Zones = ZONES) -> dns.message.Message:
    return respond(dns.message.make_query(name, rdtype), source)


def answers(response: dns.message.Message) -> list[str]:
    return [rdata.to_text() for rrset in response.answer for rdata in rrset]


def test_records_are_answered_with_authority() -> None:
    response = ask("Clinic.Example")
    assert response.flags & dns.flags.AA
    assert answers(response) == ['"v=spf1 -all"']


@pytest.mark.parametrize(("name", "rdtype"), [("clinic.example", "MX"), ("below.clinic.example", "TXT")])
def test_no_data_has_the_soa(name: str, rdtype: str) -> None:
    response = ask(name, rdtype)
    assert (response.rcode(), response.answer) == (dns.rcode.NOERROR, [])
    assert response.authority[0].rdtype == dns.rdatatype.SOA
    assert response.authority[0].ttl == 60


@pytest.mark.parametrize("name", ["nowhere.other.example", "example.com", "below.host.other.example"])
def test_a_name_that_does_not_exist(name: str) -> None:
    response = ask(name)
    assert response.rcode() == dns.rcode.NXDOMAIN
    assert response.authority[0].rdtype == dns.rdatatype.SOA


def test_wildcards_stand_in_below_the_closest_name_that_exists() -> None:
    assert answers(ask("anything.at.all.clinic.example")) == ['"any"']
    assert answers(ask("x.wild.clinic.example")) == ['"wild"']
    # RFC 4592 2.2.1: a name that exists, or that lies below one, is not covered by the wildcard above it.
    assert ask("x.below.clinic.example").rcode() == dns.rcode.NXDOMAIN
    assert answers(ask("has.wild.clinic.example")) == []
    assert answers(ask("x.clinic.example", "MX")) == []


def test_an_alias_is_followed_into_another_zone() -> None:
    assert answers(ask("www.clinic.example")) == ["host.other.example.", '"here"']
    assert answers(ask("www.clinic.example", "CNAME")) == ["host.other.example."]


def test_an_alias_of_itself_ends() -> None:
    assert ask("loop.clinic.example").rcode() == dns.rcode.SERVFAIL


def test_what_is_not_ours_is_refused() -> None:
    assert ask("example.com", source={dns.name.from_text("clinic.example"): ZONES[dns.name.root]}).rcode() == 5


def test_updates_are_not_understood() -> None:
    query = dns.message.make_query("clinic.example", "TXT")
    query.set_opcode(dns.opcode.NOTIFY)
    assert respond(query, ZONES).rcode() == dns.rcode.NOTIMP


@pytest.mark.parametrize(("payload", "cut"), [(None, True), (512, True), (1232, True), (4096, True)])
def test_what_does_not_fit_is_cut_to_nothing(payload: int | None, cut: bool) -> None:
    query = dns.message.make_query("big.clinic.example", "TXT", use_edns=payload is not None, payload=payload)
    packet = respond_to_wire(query.to_wire(), ZONES, udp=True)
    assert packet is not None
    response = dns.message.from_wire(packet)
    assert bool(response.flags & dns.flags.TC) is cut
    assert response.answer == []
    whole = respond_to_wire(query.to_wire(), ZONES, udp=False)
    assert whole is not None
    assert len(dns.message.from_wire(whole).answer) == 1


@given(st.binary(max_size=100))
def test_nonsense_is_not_answered_and_does_not_stop_the_server(packet: bytes) -> None:
    respond_to_wire(packet, ZONES, udp=True)


def test_a_response_is_not_answered() -> None:
    response = dns.message.make_response(dns.message.make_query("clinic.example", "TXT"))
    assert respond_to_wire(response.to_wire(), ZONES, udp=True) is None


async def test_over_udp_and_tcp_on_one_port() -> None:
    query = dns.message.make_query("clinic.example", "TXT").to_wire()
    async with DnsServer(ZONES) as server:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(struct.pack("!H", len(query)) + query)
        (size,) = struct.unpack("!H", await reader.readexactly(2))
        over_tcp = await reader.readexactly(size)
        writer.close()
        received: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        class Client(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, addr: object) -> None:
                received.set_result(data)

        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            Client, remote_addr=(server.host, server.port)
        )
        transport.sendto(query)
        over_udp = await asyncio.wait_for(received, 5)
        transport.close()
    assert answers(dns.message.from_wire(over_udp)) == answers(dns.message.from_wire(over_tcp)) == ['"v=spf1 -all"']
    assert server.questions == 2


def test_the_zones_that_come_along_can_be_read_and_stay_offline() -> None:
    found = load_zones()
    assert dns.name.root in found
    for zone in found.values():
        for _, _, rdata in zone.iterate_rdatas("A"):
            assert rdata.address.startswith(("192.0.2.", "198.51.100.", "203.0.113."))
