"""UDP sockets towards one name server.

Each socket is bound by the kernel to a random port and connected, so the kernel delivers nothing that comes from
another address, and reports it when nobody listens there. A forger from elsewhere has to guess which ports are open,
the 16-bit id, and the question. Sockets are opened as they are needed, a question goes out by one chosen at random,
and each is retired after some questions or some time; a retired socket stays open until its questions are done.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from dataclasses import dataclass, field
from typing import Final, Protocol

from mailguard.resolver.settings import NameServer, ResolverSettings
from mailguard.resolver.wire import answers_question, build_query

_BURST: Final = 64
"""Datagrams read from one socket before others have their turn."""

_MAX_DATAGRAM: Final = 65_535


@dataclass(slots=True)
class Statistics:
    """Counts since the resolver was opened."""

    asked: int = 0  # questions that went to a server (retries apart)
    sent: int = 0  # UDP queries, retries included
    by_tcp: int = 0  # TCP connections
    ignored: int = 0  # datagrams with another id or question, or that were no response
    silent: int = 0  # attempts that nobody answered in time
    cached: int = 0  # questions answered from the cache
    shared: int = 0  # questions that joined one already under way


class Attempt(Protocol):
    """One query under way; what the socket needs to know of it."""

    question_octets: bytes

    def replied(self, octets: bytes) -> None:
        """A response to this query has come."""

    def unreachable(self) -> None:
        """The system says that nobody listens at the server's address."""


@dataclass(slots=True)
class Ticket:
    """Where an attempt waits, so that it can be withdrawn."""

    udp: UdpSocket
    query_id: int

    def withdraw(self) -> None:
        """Stop waiting; a response that still comes is ignored."""
        self.udp.forget(self.query_id)


class UdpSocket:
    """One connected socket and the attempts that wait on it, by id."""

    __slots__ = ("_loop", "_sock", "_statistics", "_waiting", "opened_at", "retired", "uses")

    def __init__(self, server: NameServer, loop: asyncio.AbstractEventLoop, statistics: Statistics) -> None:
        family, _, _, _, address = socket.getaddrinfo(
            server.host, server.port, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST
        )[0]
        sock = socket.socket(family, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            sock.connect(address)
        except OSError:
            sock.close()
            raise
        self._sock = sock
        self._loop = loop
        self._statistics = statistics
        self._waiting: dict[int, Attempt] = {}
        self.opened_at = loop.time()
        self.retired = False
        self.uses = 0
        loop.add_reader(sock, self._readable)

    @property
    def port(self) -> int:
        """Our own port."""
        return int(self._sock.getsockname()[1])

    @property
    def is_open(self) -> bool:
        """Whether the socket still exists."""
        return self._sock.fileno() >= 0

    def send(self, attempt: Attempt, first_id: int, *, edns: bool) -> int:
        """Send the attempt's query under a free id, ``first_id`` where that is free; returns the id.

        Raises:
            OSError: when the system refuses to send, for instance without a route.
        """
        query_id = first_id
        while query_id in self._waiting:
            query_id = secrets.randbits(16)
        try:
            self._sock.send(build_query(query_id, attempt.question_octets, edns=edns))
        except BlockingIOError:
            pass  # as if lost on the way: the attempt will time out
        except ConnectionRefusedError:
            # The kernel's news about an earlier datagram. It has taken this report back; the query was not sent.
            self._sock.send(build_query(query_id, attempt.question_octets, edns=edns))
        self._waiting[query_id] = attempt
        self.uses += 1
        return query_id

    def forget(self, query_id: int) -> None:
        """Wait no longer for this id."""
        self._waiting.pop(query_id, None)
        self._close_if_done()

    def retire(self) -> None:
        """Take no further question, and close once the last one is done."""
        self.retired = True
        self._close_if_done()

    def close(self) -> None:
        """Close now. Does nothing the second time."""
        if self.is_open:
            self._loop.remove_reader(self._sock)
            self._sock.close()

    def _close_if_done(self) -> None:
        if self.retired and not self._waiting:
            self.close()

    def _readable(self) -> None:
        for _ in range(_BURST):
            if not self.is_open:
                return
            try:
                octets = self._sock.recv(_MAX_DATAGRAM)
            except BlockingIOError:
                return
            except OSError:
                self._refused()
                return
            self._received(octets)

    def _received(self, octets: bytes) -> None:
        attempt = self._waiting.get(int.from_bytes(octets[:2], "big"))
        if attempt is None or not answers_question(octets, attempt.question_octets):
            self._statistics.ignored += 1
            return
        attempt.replied(octets)

    def _refused(self) -> None:
        waiting = list(self._waiting.values())
        for attempt in waiting:
            attempt.unreachable()


@dataclass(slots=True, eq=False)
class Upstream:
    """One name server: the sockets towards it, and what was learned about it."""

    server: NameServer
    settings: ResolverSettings
    loop: asyncio.AbstractEventLoop
    statistics: Statistics
    edns: bool = True  # until it has shown that it understands queries only without
    silent_in_a_row: int = 0
    label: str = ""  # how answers name it
    open_sockets: list[UdpSocket] = field(default_factory=list)
    retired_sockets: list[UdpSocket] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.label = str(self.server)

    def send(self, attempt: Attempt, *, edns: bool) -> Ticket:
        """Send the attempt's query from a socket chosen at random.

        Raises:
            OSError: no socket can be opened, or the system knows no way to the server.
        """
        draw = secrets.randbits(48)
        udp = self._choose(draw >> 16)
        query_id = udp.send(attempt, draw & 0xFFFF, edns=edns)
        self.statistics.sent += 1
        return Ticket(udp, query_id)

    def _choose(self, draw: int) -> UdpSocket:
        if len(self.open_sockets) < self.settings.sockets:
            return self._open()
        place = draw % len(self.open_sockets)
        udp = self.open_sockets[place]
        if not self._is_worn(udp):
            return udp
        del self.open_sockets[place]
        self._retire(udp)
        return self._open()

    def _is_worn(self, udp: UdpSocket) -> bool:
        too_old = self.loop.time() - udp.opened_at > self.settings.socket_age_s
        return too_old or udp.uses >= self.settings.socket_uses

    def _retire(self, udp: UdpSocket) -> None:
        udp.retire()
        self.retired_sockets = [old for old in self.retired_sockets if old.is_open]
        if udp.is_open:
            self.retired_sockets.append(udp)

    def _open(self) -> UdpSocket:
        try:
            udp = UdpSocket(self.server, self.loop, self.statistics)
        except OSError:
            if not self.open_sockets:
                raise
            return self.open_sockets[0]  # out of file descriptors: fewer sockets still do the work
        self.open_sockets.append(udp)
        return udp

    def close(self) -> None:
        """Close all sockets now."""
        for udp in (*self.open_sockets, *self.retired_sockets):
            udp.close()
        self.open_sockets.clear()
        self.retired_sockets.clear()
