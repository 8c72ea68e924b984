"""A DNS server for benchmarks: answers from memory, each a fixed time after its question.

Every response is put together before the first question comes; what is left to do is one dictionary look-up and four
slices. The delay is the same for all, so the waiting responses form a queue and need one timer.

Run as ``python -m bench.dns_server --domains 1000 --delay-ms 20``: it prints its port and serves until its standard
input is closed. With ``--zone FILE`` it serves the TXT records in a JSON object instead of invented clinics.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import struct
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol, cast

from bench.zones import TTL_S, Clinics
from mailguard.inquiry import Mx, Rdata, RRType, Txt
from mailguard.names import DomainName, name

_TYPE_CODES: Final = {
    RRType.A: 1,
    RRType.NS: 2,
    RRType.CNAME: 5,
    RRType.SOA: 6,
    RRType.PTR: 12,
    RRType.MX: 15,
    RRType.TXT: 16,
    RRType.AAAA: 28,
}
_POINTER_TO_QUESTION: Final = b"\xc0\x0c"
_ROOT_SOA: Final = (
    b"\0" + struct.pack("!HHIH", 6, 1, TTL_S, 22) + b"\0\0" + struct.pack("!5I", 1, 3600, 600, 86400, TTL_S)
)
_ANSWER, _NO_DATA, _NXDOMAIN = 0x8580, 0x8580, 0x8583  # QR AA RD RA and the response code


def encode_name(owner: DomainName) -> bytes:
    """A name in wire form, uncompressed."""
    return b"".join(bytes([len(label)]) + label.encode() for label in owner.labels) + b"\0"


def encode_rdata(rrtype: RRType, record: Rdata) -> bytes:
    """One record's data in wire form."""
    match record:
        case Txt():
            return b"".join(bytes([len(string)]) + string for string in record.strings)
        case Mx():
            return struct.pack("!H", record.preference) + encode_name(record.exchange)
        case DomainName():
            return encode_name(record)
    if rrtype is RRType.SOA:
        primary, mailbox, *numbers = record.split()
        return encode_name(name(primary)) + encode_name(name(mailbox)) + struct.pack("!5I", *map(int, numbers))
    return socket.inet_pton(socket.AF_INET if rrtype is RRType.A else socket.AF_INET6, record)


class Zone(Protocol):
    """What there is to be asked for."""

    names: set[DomainName]
    records: dict[tuple[DomainName, RRType], list[Rdata]]


class Texts:
    """A zone of TXT records, by their owners."""

    def __init__(self, texts: dict[str, str]) -> None:
        self.records: dict[tuple[DomainName, RRType], list[Rdata]] = {
            (name(owner), RRType.TXT): [Txt(tuple(text[at : at + 255].encode() for at in range(0, len(text), 255)))]
            for owner, text in texts.items()
        }
        self.names = {parent for owner, _ in self.records for parent in (owner, *owner.ancestors())}


class Answers:
    """Responses by the wire form of their question."""

    def __init__(self, clinics: Zone) -> None:
        self._names = {encode_name(owner) for owner in clinics.names}
        self._ready: dict[bytes, tuple[bytes, bytes]] = {}
        for (owner, rrtype), records in clinics.records.items():
            code = _TYPE_CODES[rrtype]
            header = _POINTER_TO_QUESTION + struct.pack("!HHI", code, 1, TTL_S)
            data = [encode_rdata(rrtype, record) for record in records]
            body = b"".join(header + struct.pack("!H", len(octets)) + octets for octets in data)
            counts = struct.pack("!HHHHH", _ANSWER, 1, len(data), 0, 0)
            self._ready[encode_name(owner) + struct.pack("!HH", code, 1)] = (counts, body)

    def respond(self, query: bytes) -> bytes:
        """The response to a query with one question."""
        end = 12
        while query[end]:
            end += query[end] + 1
        owner = query[12 : end + 1].lower()
        question = query[12 : end + 5]
        found = self._ready.get(owner + question[-4:])
        if found:
            return query[:2] + found[0] + question + found[1]
        flags = _NO_DATA if owner in self._names else _NXDOMAIN
        return query[:2] + struct.pack("!HHHHH", flags, 1, 0, 1, 0) + question + _ROOT_SOA


class DelayedServer(asyncio.DatagramProtocol):
    """Answers every datagram ``delay_s`` seconds after it came."""

    def __init__(self, answers: Answers, delay_s: float) -> None:
        self._answers = answers
        self._delay_s = delay_s
        self._waiting: deque[tuple[float, bytes, tuple[str, int]]] = deque()
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        response = self._answers.respond(data)
        if not self._waiting:
            self._loop.call_later(self._delay_s, self._send_due)
        self._waiting.append((self._loop.time() + self._delay_s, response, addr))

    def _send_due(self) -> None:
        now = self._loop.time() + 0.0002
        while self._waiting and self._waiting[0][0] <= now:
            _, response, addr = self._waiting.popleft()
            self._transport.sendto(response, addr)
        if self._waiting:
            self._loop.call_at(self._waiting[0][0], self._send_due)


async def serve(clinics: Zone, delay_s: float) -> None:
    """Serve on a free port of the loopback interface until standard input is closed."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    listener.bind(("127.0.0.1", 0))
    answers = Answers(clinics)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: DelayedServer(answers, delay_s), sock=listener)
    print(listener.getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    transport.close()


@contextmanager
def dns_server(domains: int, delay_ms: float = 20.0, seed: int = 1) -> Iterator[int]:
    """A server of clinics in a process of its own; yields its port."""
    with _server(f"--domains={domains}", f"--delay-ms={delay_ms}", f"--seed={seed}") as port:
        yield port


@contextmanager
def text_server(zone: Path, delay_ms: float = 0.0) -> Iterator[int]:
    """A server of the TXT records in a JSON file."""
    with _server(f"--zone={zone}", f"--delay-ms={delay_ms}") as port:
        yield port


@contextmanager
def _server(*arguments: str) -> Iterator[int]:
    command = [sys.executable, "-m", "bench.dns_server", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--domains", type=int, default=100)
    parser.add_argument("--delay-ms", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--zone", type=Path, help="a JSON object of owners and texts")
    options = parser.parse_args()
    zone: Zone = Clinics(options.domains, options.seed)
    if options.zone:
        zone = Texts(json.loads(options.zone.read_text("utf-8")))
    asyncio.run(serve(zone, options.delay_ms / 1000))


if __name__ == "__main__":
    main()
