"""Inquiries driven by real answers, within one domain's budget and deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import dns.message
import pytest

from mailguard.inquiry import Answer, Inquiry, Question, RRType, Status, Together, ask, ask_all, run, together
from mailguard.names import name
from mailguard.resolver import Session, drive
from mailguard.resolver.resolver import Tell
from tests.hostile_dns import LoopbackDns, question_text, reply, serving, silence
from tests.resolver.helpers import asking, txt
from tests.zones import Zone


class Desk:
    """An asker whose answers come when the test says so."""

    def __init__(self, known: Zone | None = None) -> None:
        self.known = known
        self.open: dict[Question, list[Tell]] = {}

    def ask(self, question: Question, tell: Tell) -> Answer | None:
        if self.known is not None:
            return self.known(question)
        self.open.setdefault(question, []).append(tell)
        return None

    def answer(self, question: Question) -> None:
        for tell in self.open.pop(question):
            tell(Answer(question, Status.NXDOMAIN))


def walk(start: str, steps: int) -> Inquiry[int]:
    """Ask ``steps`` questions one after another."""
    for step in range(steps):
        yield from ask(txt(f"{step}.{start}"))
    return steps


async def turns() -> None:
    """Let everything that can go on go on."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_it_gives_what_the_synchronous_driver_gives() -> None:
    zone = Zone.parse('a.example TXT "x"\nslow.example TXT !timeout')

    def inquiry() -> Inquiry[tuple[object, ...]]:
        first = yield from ask_all([txt("a.example"), txt("slow.example"), txt("a.example")])
        nothing = yield Together(())
        inner = yield from together(walk("w.example", 2), walk("v.example", 0))
        return first, nothing, inner, (yield ())

    assert await drive(inquiry(), Desk(zone)) == run(inquiry(), zone)


async def test_a_slow_branch_holds_up_no_other() -> None:
    desk = Desk()
    task = asyncio.ensure_future(drive(together(walk("slow.example", 1), walk("quick.example", 3)), desk))
    for step in range(3):
        await turns()
        desk.answer(txt(f"{step}.quick.example"))
    await turns()
    assert not task.done()
    desk.answer(txt("0.slow.example"))
    assert await task == (1, 3)


async def test_two_branches_may_wait_for_the_same_answer() -> None:
    desk = Desk()
    task = asyncio.ensure_future(drive(together(walk("x.example", 1), walk("x.example", 1)), desk))
    await turns()
    desk.answer(txt("0.x.example"))
    assert await task == (1, 1)


def recording(closed: list[str], label: str) -> Inquiry[None]:
    try:
        yield from ask(txt(f"{label}.example"))
    finally:
        closed.append(label)


def nested(closed: list[str]) -> Inquiry[None]:
    try:
        yield Together((recording(closed, "inner"), recording(closed, "other")))
    finally:
        closed.append("outer")


async def test_cancellation_closes_every_generator_the_innermost_first() -> None:
    closed: list[str] = []
    desk = Desk()
    task = asyncio.ensure_future(drive(nested(closed), desk))
    await turns()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert closed == ["other", "inner", "outer"]
    desk.answer(txt("inner.example"))  # comes too late, and hurts nobody


async def test_an_error_of_ours_comes_out_and_closes_the_others() -> None:
    closed: list[str] = []

    def broken() -> Inquiry[None]:
        yield from ask(txt("known.example"))
        raise ZeroDivisionError

    desk = Desk()
    task = asyncio.ensure_future(drive(together(broken(), recording(closed, "a")), desk))
    await turns()
    desk.answer(txt("known.example"))
    with pytest.raises(ZeroDivisionError):
        await task
    assert closed == ["a"]


async def test_a_stray_stop_iteration_is_no_verdict() -> None:
    class Stray:
        def ask(self, question: Question, tell: Tell) -> Answer | None:
            raise StopIteration("no verdict")

    with pytest.raises(RuntimeError):
        await drive(walk("x.example", 1), Stray())


class TestBudget:
    async def test_a_hundred_distinct_questions_and_no_more(self) -> None:
        def many() -> Inquiry[tuple[Answer, ...]]:
            return (yield from ask_all([txt(f"d{n % 130}.example") for n in range(260)]))

        async with (
            LoopbackDns(lambda query: [reply(query, rcode=3)]) as server,
            asking(server, timeout_s=60.0) as resolver,
        ):
            with Session(resolver) as session:
                answers = await drive(many(), session)
        assert len(server.queries) == session.questions == 100
        assert set(server.asked.values()) == {1}
        assert [answer.status for answer in answers[:130]] == [Status.NXDOMAIN] * 100 + [Status.NOT_ASKED] * 30
        assert {answer.note for answer in answers[100:130]} == {"budget"}
        assert answers[:130] == answers[130:] == session.answers

    async def test_following_cnames_costs_too(self) -> None:
        def udp(query: dns.message.Message) -> list[bytes]:
            owner = question_text(query).split()[0]
            return [reply(query, f"{owner}. 60 IN CNAME x{len(server.queries)}.example.")]

        async with LoopbackDns(udp) as server, asking(server, timeout_s=60.0) as resolver:
            with Session(resolver, max_questions=10) as session:
                answer = await drive(ask(txt("start.example")), session)
        assert (answer.status, answer.note, len(answer.aliases)) == (Status.NOT_ASKED, "budget", 10)
        assert len(server.queries) == session.questions == 10

    async def test_the_unaskable_costs_nothing(self) -> None:
        async with LoopbackDns(silence) as server, asking(server) as resolver:
            with Session(resolver, max_questions=1) as session:
                answer = await drive(ask(txt("a..example")), session)
                assert (answer.note, session.questions) == ("unaskable", 0)
        assert session.answers == (answer,)


class TestDeadline:
    @pytest.mark.parametrize("in_flight", [500, 1])
    async def test_what_was_asked_is_a_timeout_and_what_was_not_is_not_asked(self, in_flight: int) -> None:
        def inquiry() -> Inquiry[tuple[Answer, ...]]:
            first = yield from ask_all([txt("a.example"), txt("b.example")])
            later = yield from ask(txt("c.example"))
            return (*first, later)

        async with (
            LoopbackDns(silence) as server,
            asking(server, timeout_s=60.0, max_in_flight=in_flight) as resolver,
        ):
            with Session(resolver, deadline_s=0.05) as session:
                answers = await drive(inquiry(), session)
        second = Status.TIMEOUT if in_flight > 1 else Status.NOT_ASKED
        assert [answer.status for answer in answers] == [Status.TIMEOUT, second, Status.NOT_ASKED]
        assert {answer.note for answer in answers} == {"deadline"}
        assert session.answers == answers

    async def test_a_hostile_zone_ends_in_time_and_harms_no_other(self) -> None:
        """Every answer takes as long as it may, and leads to ten more questions."""

        def greedy(start: str, depth: int = 0) -> Inquiry[int]:
            yield from ask(txt(start))
            if depth > 5:
                return 1
            counts = yield from together(*(greedy(f"{n}.{start}", depth + 1) for n in range(10)))
            return sum(counts)

        def udp(query: dns.message.Message) -> list[bytes]:
            if question_text(query).startswith("clinic"):
                return serving(Zone.parse('clinic.example.jp TXT "v=spf1 -all"'))(query)
            return []

        loop = asyncio.get_running_loop()
        started = loop.time()
        async with LoopbackDns(udp) as server, asking(server, timeout_s=0.1) as resolver:
            with Session(resolver, deadline_s=0.5) as hostile, Session(resolver) as honest:
                attack = asyncio.ensure_future(drive(together(greedy("evil.example"), walk("e.example", 9)), hostile))
                assert (await drive(ask(txt("clinic.example.jp")), honest)).present
                attack.cancel()
            with Session(resolver, deadline_s=0.5) as hostile:
                await drive(walk("evil.example", 500), hostile)
        assert loop.time() - started < 5.0
        assert hostile.questions <= 100

    async def test_an_answer_after_leaving_changes_nothing(self) -> None:
        async with LoopbackDns(silence) as server, asking(server, timeout_s=60.0) as resolver:
            with Session(resolver) as session:
                task = asyncio.ensure_future(drive(ask(txt("clinic.example.jp")), session))
                await server.until(1)
                task.cancel()
            server.transport.sendto(reply(server.queries[0]), server.clients[0])
            assert (await resolver.resolve(txt("clinic.example.jp"))).absent
            assert session.answers == ()


async def test_a_whole_zone_over_the_network_is_the_zone() -> None:
    """Every status and every type that a test zone can have arrives as it left."""
    zone = Zone.parse(
        r"""
        clinic.example.jp        TXT  "v=spf1 mx " "-all"
        clinic.example.jp        MX   10 mail.clinic.example.jp
        clinic.example.jp        NS   ns.example.net
        mail.clinic.example.jp   A    192.0.2.1
        mail.clinic.example.jp   AAAA 2001:db8::1
        www.clinic.example.jp    CNAME web.example.net
        gone.clinic.example.jp   CNAME nowhere.example.net
        *.wild.example.jp        TXT  "\200\255 and \"quotes\""
        servfail.example.net     TXT  !servfail
        refused.example.net      TXT  !refused
        web.example.net          A    192.0.2.2
        """
    )
    owners = [owner for owner, _ in (*zone.records, *zone.failures)] + [name("example.jp"), name("x.wild.example.jp")]
    types = (RRType.TXT, RRType.MX, RRType.NS, RRType.A, RRType.AAAA, RRType.CNAME)
    questions = [Question(owner, rrtype) for owner in dict.fromkeys(owners) for rrtype in types]
    essence: Callable[[Answer], object] = lambda a: (a.question, a.status, set(a.records), a.aliases, a.rcode)  # noqa: E731
    async with LoopbackDns(serving(zone)) as server, asking(server, timeout_s=60.0) as resolver:
        with Session(resolver) as session:
            answers = await drive(ask_all(questions), session)
    assert [essence(answer) for answer in answers] == [essence(zone(question)) for question in questions]
