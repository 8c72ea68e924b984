"""A name server on loopback that answers as a test tells it to, well or badly.

::

    async with LoopbackDns(udp=lambda query: [reply(query, "a.example. 60 IN A 192.0.2.1")]) as server:
        ...  # server.nameserver, server.queries

``udp`` maps a query to the datagrams to send back, none for silence. ``tcp`` maps it to the pieces to write; afterwards
the connection is closed, unless the pieces are an asynchronous iterator that never ends.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from types import TracebackType
from typing import Self

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

from mailguard.inquiry import Answer, Mx, Question, RRType, Status, Txt
from mailguard.names import name
from mailguard.resolver import NameServer
from tests.zones import Zone

Udp = Callable[[dns.message.Message], Iterable[bytes]]
Tcp = Callable[[dns.message.Message], "Iterable[bytes] | AsyncIterator[bytes]"]


def silence(query: dns.message.Message) -> list[bytes]:
    """Say nothing."""
    return []


class LoopbackDns:
    """A server on one UDP and TCP port of 127.0.0.1."""

    def __init__(self, udp: Udp = silence, tcp: Tcp = silence) -> None:
        self._udp = udp
        self._tcp = tcp
        self.queries: list[dns.message.Message] = []  # over UDP
        self.clients: list[tuple[str, int]] = []  # where they came from
        self.tcp_queries: list[dns.message.Message] = []
        self.conversation = asyncio.Event()  # set once somebody has asked over TCP
        self._came = asyncio.Event()
        self.transport: asyncio.DatagramTransport
        self.port = 0

    @property
    def nameserver(self) -> NameServer:
        return NameServer("127.0.0.1", self.port)

    @property
    def asked(self) -> Counter[str]:
        """How often each question came over UDP, as ``"name TYPE"``."""
        return Counter(question_text(query) for query in self.queries)

    async def until(self, count: int) -> None:
        """Wait for so many UDP queries."""
        while len(self.queries) < count:
            self._came.clear()
            await self._came.wait()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        while True:
            tcp = await asyncio.start_server(self._converse, "127.0.0.1", 0)
            self.port = tcp.sockets[0].getsockname()[1]
            try:
                self.transport, _ = await loop.create_datagram_endpoint(
                    lambda: _Protocol(self), local_addr=("127.0.0.1", self.port)
                )
            except OSError:
                tcp.close()  # the port is taken for UDP: another one
                continue
            self._server = tcp
            self._conversations: set[asyncio.Task[None]] = set()
            return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.transport.close()
        self._server.close()
        for task in self._conversations:
            task.cancel()
        await asyncio.gather(*self._conversations, return_exceptions=True)
        await asyncio.sleep(0)

    def received(self, octets: bytes, client: tuple[str, int]) -> None:
        query = dns.message.from_wire(octets)
        self.queries.append(query)
        self.clients.append(client)
        self._came.set()
        for datagram in self._udp(query):
            self.transport.sendto(datagram, client)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._conversations.add(task)
        try:
            length = int.from_bytes(await reader.readexactly(2), "big")
            query = dns.message.from_wire(await reader.readexactly(length))
            self.tcp_queries.append(query)
            self.conversation.set()
            pieces = self._tcp(query)
            if isinstance(pieces, AsyncIterator):
                async for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
            else:
                writer.write(b"".join(pieces))
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()
            self._conversations.discard(task)


class _Protocol(asyncio.DatagramProtocol):
    def __init__(self, server: LoopbackDns) -> None:
        self._server = server

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._server.received(data, addr)


def question_text(query: dns.message.Message) -> str:
    """``"name TYPE"`` of a query."""
    (rrset,) = query.question
    return f"{rrset.name.to_text(omit_final_dot=True)} {rrset.rdtype.name}"


def respond(
    query: dns.message.Message,
    *records: str,
    authority: Iterable[str] = (),
    rcode: int = 0,
    flags: int = dns.flags.RA,
    limit: int = 65_535,
) -> dns.message.Message:
    """A response with ``records`` as in a zone file (``"a.example. 60 IN A 192.0.2.1"``)."""
    response = dns.message.make_response(query)
    response.flags |= flags
    response.set_rcode(dns.rcode.Rcode(rcode))
    for section, lines in ((response.answer, records), (response.authority, authority)):
        for line in lines:
            owner, ttl, rdclass, rrtype, rdata = line.split(maxsplit=4)
            section.append(dns.rrset.from_text(owner, int(ttl), rdclass, rrtype, rdata))
    return response


def reply(query: dns.message.Message, *records: str, **options: object) -> bytes:
    """The octets of :func:`respond`."""
    return respond(query, *records, **options).to_wire(max_size=65_535)  # type: ignore[arg-type]


def truncated(query: dns.message.Message) -> bytes:
    """A response that says: too long, ask over TCP."""
    return reply(query, flags=dns.flags.RA | dns.flags.TC)


def framed(octets: bytes) -> bytes:
    """One TCP message with its length in front."""
    return len(octets).to_bytes(2, "big") + octets


def serving(zone: Zone) -> Udp:
    """A recursive server that knows ``zone``, which is all of DNS; ``!timeout`` means silence."""

    def udp(query: dns.message.Message) -> list[bytes]:
        (rrset,) = query.question
        question = Question(name(rrset.name.to_text()), RRType(rrset.rdtype.name))
        answer = zone(question)
        return [] if answer.status is Status.TIMEOUT else [_as_octets(query, answer)]

    return udp


def _as_octets(query: dns.message.Message, answer: Answer) -> bytes:
    owner, lines, ttl_s = f"{answer.question.name}.", [], answer.ttl_s or 300
    for alias in answer.aliases:
        lines.append(f"{owner} {ttl_s} IN CNAME {alias}.")
        owner = f"{alias}."
    lines += [f"{owner} {ttl_s} IN {answer.question.rrtype} {_rdata(record)}" for record in answer.records]
    soa = [f"{owner} 300 IN SOA ns.{owner} admin.{owner} 1 2 3 4 300"] if answer.absent else []
    rcodes = {Status.NXDOMAIN: 3, Status.SERVFAIL: 2, Status.REFUSED: 5, Status.ERROR: 4}
    return reply(query, *lines, authority=soa, rcode=rcodes.get(answer.status, 0))


def _rdata(record: object) -> str:
    if isinstance(record, Txt):
        return " ".join('"' + "".join(f"\\{octet:03d}" for octet in string) + '"' for string in record.strings)
    if isinstance(record, Mx):
        return f"{record.preference} {record.exchange}."
    return f"{record}." if type(record) is not str else record
