"""What asking costs: our resolver's questions a second beside a bare dnspython loop over one socket.

The bare loop is as little as a program can do that asks with dnspython: make a message, send it, receive, parse, match
the id. It keeps so many questions in flight, and has no cache, no retries and no defence. There is no delay here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, cast

import dns.message

from bench.dns_server import dns_server
from bench.report import Stopwatch, Target, save, say, table, targets_table
from bench.zones import Clinics
from mailguard.inquiry import Inquiry, Question, ask_all
from mailguard.resolver import NameServer, Resolver, ResolverSettings, Session, drive

DOMAINS = 1500
IN_FLIGHT = 100


def questions() -> list[Question]:
    """Distinct questions that all have an answer."""
    return [Question(owner, rrtype) for owner, rrtype in Clinics(DOMAINS).records][:12_000]


class BareLoop(asyncio.DatagramProtocol):
    """Sends the next question for each response."""

    def __init__(self, asked: Iterator[Question], done: asyncio.Future[None]) -> None:
        self._asked = asked
        self._done = done
        self._waiting: dict[int, dns.message.QueryMessage] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        for _ in range(IN_FLIGHT):
            self._send()

    def _send(self) -> None:
        question = next(self._asked, None)
        if question is not None:
            query = dns.message.make_query(question.name, str(question.rrtype), use_edns=0)
            self._waiting[query.id] = query
            self._transport.sendto(query.to_wire())
        elif not self._waiting and not self._done.done():
            self._done.set_result(None)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        response = dns.message.from_wire(data)
        self._waiting.pop(response.id, None)
        self._send()


async def ask_bare(port: int, asked: list[Question]) -> None:
    """Ask with the bare loop."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()
    remote = ("127.0.0.1", port)
    transport, _ = await loop.create_datagram_endpoint(lambda: BareLoop(iter(asked), done), remote_addr=remote)
    await asyncio.wait_for(done, 60)
    transport.close()


async def ask_ours(port: int, asked: list[Question]) -> None:
    """Ask with our resolver."""

    def inquiry() -> Inquiry[int]:
        answers = yield from ask_all(asked)
        return sum(answer.present for answer in answers)

    settings = ResolverSettings(nameservers=(NameServer("127.0.0.1", port),), max_in_flight=IN_FLIGHT)
    async with Resolver(settings) as resolver:
        with Session(resolver, max_questions=len(asked), deadline_s=60) as session:
            present = await drive(inquiry(), session)
    if present != len(asked):
        raise RuntimeError(f"only {present} of {len(asked)} questions were answered")


def run() -> list[Target]:
    """Measure, save and print; returns the promises (none here)."""
    say("asking")
    asked = questions()
    figures = {}
    with dns_server(DOMAINS, 0.0) as port:
        for label, work in (("bare dnspython loop", ask_bare), ("mailguard's resolver", ask_ours)):
            with Stopwatch() as watch:
                asyncio.run(work(port, asked))
            figures[label] = {"per_s": len(asked) / watch.wall_s, "cpu_us": 1e6 * watch.cpu_s / len(asked)}
    save("floor", {"questions": len(asked), "in_flight": IN_FLIGHT, "runs": figures})
    rows = [(label, f"{run['per_s']:,.0f}", f"{run['cpu_us']:.0f} µs") for label, run in figures.items()]
    print(table(("asking", "questions/s", "CPU a question"), rows), end="\n\n")
    return []


if __name__ == "__main__":
    print(targets_table(run()))
