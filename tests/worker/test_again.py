"""Mails whose sender could not be checked are checked again, with a real name server on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import dns.name
import pytest

from mailguard.demo.dns_server import DnsServer, parse_zone
from mailguard.feedback.envelope import ReceivedMail
from mailguard.resolver import NameServer, Resolver, ResolverSettings
from mailguard.store import open_reader
from mailguard.worker.handling import Handled, MailOutcome
from mailguard.worker.later import PAUSES_S
from mailguard.worker.worker import Worker
from tests.dkim.keys import zone_txt
from tests.trust.mails import rsa_pair, sign
from tests.worker.mails import NOW, report_mail
from tests.worker.test_worker import House
from tests.worker.until import until

ZONE = "$TTL 300\n@ IN SOA ns.example.net. hostmaster.example.net. 1 3600 900 1209600 60\n@ NS ns.example.net.\n"
DAY_S = 86_400


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


@asynccontextmanager
async def name_server() -> AsyncIterator[Resolver]:
    """Knows the reporter's key and nothing else."""
    key = zone_txt("s1._domainkey.reporter.example.", rsa_pair()[1])
    async with DnsServer({dns.name.root: parse_zone(f"{ZONE}{key}\n", dns.name.root)}) as server:
        settings = ResolverSettings(nameservers=(NameServer("127.0.0.1", server.port),))
        async with Resolver(settings) as resolver:
            yield resolver


def signed_at(at: int, id: str = "signed") -> ReceivedMail:
    mail = report_mail(id)
    return replace(mail, raw=sign(mail.raw, at=at))


def waiting(house: House) -> int:
    folder = house.shelf.path / "later"
    return len(list(folder.iterdir())) if folder.exists() else 0


def grades(house: House) -> list[str]:
    with open_reader(house.database) as reader:
        return [row.grade for row in reader.list_reports(limit=1_000)]


async def check_what_is_due(house: House, resolver: Resolver, now: int) -> list[Handled]:
    """Let the worker look once, by a clock that says ``now``."""
    house.later._now = lambda: now
    house.handled.clear()
    due = len(house.later.due())
    stop = asyncio.Event()
    async with house.worker(resolver) as worker:
        running = asyncio.create_task(worker.run(stop))
        await until(lambda: len(house.handled) == due and not house.later.due())
        stop.set()
        await running
    return list(house.handled)


async def test_a_signature_from_the_future_counts_when_its_time_has_come(house: House) -> None:
    house.shelf.put([signed_at(NOW + DAY_S)])
    async with name_server() as resolver:
        await house.work(resolver)
        (first,) = house.handled
        assert first.reason is not None
        assert (first.reason.id, first.trusts[0].reasons) == ("signed-in-future", ("could-not-be-checked",))
        assert (grades(house), waiting(house)) == (["unverified"], 1)
        (second,) = await check_what_is_due(house, resolver, NOW + PAUSES_S[0])
        assert (second.outcome, waiting(house)) == ("duplicate", 1)
        (third,) = await check_what_is_due(house, resolver, NOW + DAY_S)
    assert (third.outcome, third.reason) == ("stored", None)
    assert (grades(house), waiting(house)) == (["verified", "unverified"], 0)  # the second is superseded


async def test_a_signature_of_another_age_is_given_up_after_two_weeks(house: House) -> None:
    house.shelf.put([signed_at(NOW + 10**9)])
    async with name_server() as resolver:
        await house.work(resolver)
        now = NOW
        for pause in PAUSES_S:
            assert waiting(house) == 1
            now += pause
            assert len(await check_what_is_due(house, resolver, now)) == 1
    assert (grades(house), waiting(house)) == (["unverified"], 0)


class SlowHandler:
    """Handles nothing until it is let; knows how many mails it was given, and how many at once."""

    def __init__(self, house: House) -> None:
        self.later = house.later
        self.open = asyncio.Event()
        self.given = self.busy = 0

    async def handle(self, mail: ReceivedMail, *, checks: int = 0, suspect: bool = False) -> Handled:
        self.given += 1
        self.busy += 1
        try:
            await self.open.wait()
        finally:
            self.busy -= 1
        return Handled(mail, MailOutcome.DUPLICATE)


@asynccontextmanager
async def slow_worker(house: House, mails: int) -> AsyncIterator[tuple[SlowHandler, asyncio.Event]]:
    for number in range(mails):
        assert house.later.put(report_mail(str(number)), 1)
    house.later._now = lambda: NOW + PAUSES_S[0]
    handler, stop = SlowHandler(house), asyncio.Event()
    worker = Worker(house.shelf, handler, told=house.handled.append)  # type: ignore[arg-type]
    running = asyncio.create_task(worker.run(stop))
    try:
        yield handler, stop
    finally:
        stop.set()
        await running


async def test_a_slow_answer_keeps_no_more_than_a_few_waiting(house: House) -> None:
    async with slow_worker(house, 20) as (handler, _):
        await until(lambda: handler.busy >= 8)
        for _ in range(20):  # time enough for the others to be read too
            await asyncio.to_thread(house.later.due)
        assert handler.given == 8
        handler.open.set()
        await until(lambda: waiting(house) == 0)
    assert (handler.given, len(house.handled)) == (20, 20)


async def test_stopping_leaves_what_is_being_checked_for_the_next_time(house: House) -> None:
    async with slow_worker(house, 20) as (handler, stop):
        await until(lambda: handler.busy == 8)
        stop.set()
        await until(lambda: handler.busy == 0)
    assert (handler.given, waiting(house), house.handled) == (8, 20, [])


async def test_a_forged_signature_from_the_future_is_not_checked_again(house: House) -> None:
    mail = signed_at(NOW + DAY_S)
    house.shelf.put([replace(mail, raw=mail.raw.replace(b"Report-ID: <signed>", b"Report-ID: <forged>"))])
    async with name_server() as resolver:
        await house.work(resolver)
    assert (grades(house), waiting(house)) == (["unverified"], 0)
