"""An authoritative name server for the demonstration, on loopback, over UDP and TCP.

It serves the zones under ``demo/zones``: a handful of fictional hospitals, the hosting companies and mail providers
that their records point to (with documentation addresses in place of the real ones), and a root zone in which nothing
else exists. So the demonstration asks real questions and gets real answers, and no packet leaves the machine.

``respond`` is pure: a question and the zones in, a response out. Wildcards as in RFC 4592, negative answers with the
SOA as in RFC 2308, CNAME chains across zones as a recursive server would follow them, truncation as in RFC 2181 9.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Mapping
from importlib.resources import files
from types import TracebackType
from typing import Final, cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.zone

Zones = Mapping[dns.name.Name, dns.zone.Zone]

_LONGEST_CHAIN: Final = 8
_EDNS_BYTES: Final = 1232
_PLAIN_BYTES: Final = 512
_TCP_IDLE_S: Final = 5.0
_TCP_CONNECTIONS: Final = 50


def load_zones() -> Zones:
    """The zones of the demonstration. A file's name is its zone's; ``root.zone`` is the root."""
    zones = {}
    for file in (files(__package__) / "zones").iterdir():
        if file.name.endswith(".zone"):
            origin = dns.name.root if file.name == "root.zone" else dns.name.from_text(file.name[: -len(".zone")])
            zones[origin] = parse_zone(file.read_text("utf-8"), origin)
    return zones


def parse_zone(text: str, origin: dns.name.Name) -> dns.zone.Zone:
    """A zone from master-file text (RFC 1035 5)."""
    return dns.zone.from_text(text, origin=origin, relativize=False, check_origin=True)


def respond(query: dns.message.Message, zones: Zones) -> dns.message.Message:
    """The response to a query; REFUSED for what the zones do not cover, NOTIMP for anything but a question."""
    response = dns.message.make_response(query, recursion_available=True, our_payload=_EDNS_BYTES)
    if query.opcode() != 0 or len(query.question) != 1:
        response.set_rcode(dns.rcode.NOTIMP)
        return response
    question = query.question[0]
    target = question.name
    for _ in range(_LONGEST_CHAIN):
        zone = _zone_of(target, zones)
        if zone is None or question.rdclass != dns.rdataclass.IN:
            response.set_rcode(dns.rcode.REFUSED)
            return response
        response.flags |= dns.flags.AA
        alias = _answer_from(zone, target, question.rdtype, response)
        if alias is None:
            return response
        target = alias
    response.set_rcode(dns.rcode.SERVFAIL)
    return response


def _zone_of(name: dns.name.Name, zones: Zones) -> dns.zone.Zone | None:
    """The zone that lies closest above a name."""
    for labels in range(len(name.labels)):
        zone = zones.get(dns.name.Name(name.labels[labels:]))
        if zone is not None:
            return zone
    return None


def _answer_from(
    zone: dns.zone.Zone, name: dns.name.Name, rdtype: dns.rdatatype.RdataType, response: dns.message.Message
) -> dns.name.Name | None:
    """Put what one zone knows into the response; the target where a CNAME leads on."""
    owner = _owner_of(zone, name)
    if owner is None:
        response.set_rcode(dns.rcode.NXDOMAIN)
        _add_soa(zone, response)
        return None
    alias = zone.get_rdataset(owner, dns.rdatatype.CNAME)
    if alias is not None and rdtype != dns.rdatatype.CNAME:
        response.answer.append(dns.rrset.from_rdata_list(name, alias.ttl, list(alias)))
        target: dns.name.Name = alias[0].target
        return target
    found = zone.get_rdataset(owner, rdtype)
    if found is None:
        _add_soa(zone, response)
    else:
        response.answer.append(dns.rrset.from_rdata_list(name, found.ttl, list(found)))
    return None


def _owner_of(zone: dns.zone.Zone, name: dns.name.Name) -> dns.name.Name | None:
    """Whose records answer for a name: its own, those of a wildcard, or nobody's (RFC 4592 3.3.1)."""
    assert zone.origin is not None
    encloser = name
    while True:
        if any(owner.is_subdomain(encloser) for owner in zone.nodes):
            break  # exists, if only because something lies below it
        encloser = encloser.parent()
    if encloser == name:
        return name
    wildcard = dns.name.Name((b"*", *encloser.labels))
    return wildcard if wildcard in zone.nodes else None


def _add_soa(zone: dns.zone.Zone, response: dns.message.Message) -> None:
    assert zone.origin is not None
    soa = zone.find_rdataset(zone.origin, dns.rdatatype.SOA)
    ttl = min(soa.ttl, soa[0].minimum)  # RFC 2308 3
    response.authority.append(dns.rrset.from_rdata_list(zone.origin, ttl, list(soa)))


def respond_to_wire(packet: bytes, zones: Zones, *, udp: bool) -> bytes | None:
    """The response to a packet, cut to what fits over UDP; ``None`` for one that is no query."""
    try:
        query = dns.message.from_wire(packet)
    except (dns.exception.DNSException, ValueError):
        return None
    if query.flags & dns.flags.QR:
        return None
    response = respond(query, zones)
    if not udp:
        return response.to_wire(max_size=65535)
    room = min(max(query.payload, _PLAIN_BYTES), _EDNS_BYTES) if query.edns >= 0 else _PLAIN_BYTES
    try:
        return response.to_wire(max_size=room)
    except dns.exception.TooBig:
        # RFC 2181 9: rather no records than some, so that nobody takes a part for the whole.
        response.answer.clear()
        response.authority.clear()
        response.flags |= dns.flags.TC
        return response.to_wire(max_size=room)


class DnsServer:
    """``async with DnsServer(zones) as server: server.port``; UDP and TCP on one port that the system chooses."""

    host: Final = "127.0.0.1"

    def __init__(self, zones: Zones) -> None:
        self._zones = zones
        self._tcp: asyncio.Server | None = None
        self._udp: asyncio.DatagramTransport | None = None
        self._streams: set[asyncio.StreamWriter] = set()
        self.port = 0
        self.questions = 0
        """How many questions were answered."""

    async def __aenter__(self) -> DnsServer:
        loop = asyncio.get_running_loop()
        for attempt in range(10):
            self._tcp = await asyncio.start_server(self._serve_stream, self.host, 0)
            self.port = self._tcp.sockets[0].getsockname()[1]
            try:
                self._udp, _ = await loop.create_datagram_endpoint(
                    lambda: _Datagrams(self), local_addr=(self.host, self.port)
                )
            except OSError:  # somebody else has that port for UDP
                self._tcp.close()
                if attempt == 9:
                    raise
            else:
                break
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._tcp is not None
        assert self._udp is not None
        self._udp.close()
        self._tcp.close()
        for stream in list(self._streams):
            stream.transport.abort()
        await self._tcp.wait_closed()

    def answer(self, packet: bytes, *, udp: bool) -> bytes | None:
        """The response to one packet."""
        self.questions += 1
        return respond_to_wire(packet, self._zones, udp=udp)

    async def _serve_stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._streams.add(writer)
        try:
            while len(self._streams) <= _TCP_CONNECTIONS:
                async with asyncio.timeout(_TCP_IDLE_S):
                    (size,) = struct.unpack("!H", await reader.readexactly(2))
                    packet = await reader.readexactly(size)
                response = self.answer(packet, udp=False)
                if response is None:
                    break
                writer.write(struct.pack("!H", len(response)) + response)
                await writer.drain()
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._streams.discard(writer)
            writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: DnsServer) -> None:
        self._server = server
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        response = self._server.answer(data, udp=True)
        if response is not None and self._transport is not None:
            self._transport.sendto(response, addr)
