"""Servers that are silent, fail, lie, or send too little; and what is shared and remembered."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator

import dns.message
import pytest

from mailguard.inquiry import Answer, Question, RRType, Status, Txt
from mailguard.names import name
from mailguard.resolver import NameServer, Resolver, ResolverSettings
from tests.hostile_dns import LoopbackDns, Tcp, framed, question_text, reply, serving, silence, truncated
from tests.resolver.helpers import asking, txt
from tests.zones import Zone

CLINIC = txt("clinic.example.jp")
RECORD = 'clinic.example.jp. 300 IN TXT "v=spf1 -all"'


def good(query: dns.message.Message) -> list[bytes]:
    return [reply(query, RECORD)]


async def test_an_answer_says_where_it_comes_from() -> None:
    before = time.time()
    async with LoopbackDns(good) as server, asking(server) as resolver:
        answer = await resolver.resolve(CLINIC)
    assert (answer.status, answer.texts, answer.ttl_s, answer.rcode) == (Status.DATA, (b"v=spf1 -all",), 300, 0)
    assert answer.server == f"127.0.0.1:{server.port}"
    assert before <= answer.asked_at <= time.time()
    assert answer.took_ms > 0


async def test_an_unaskable_name_is_not_asked() -> None:
    async with LoopbackDns(good) as server, asking(server) as resolver:
        answer = await resolver.resolve(txt("x" * 64 + ".example"))
    assert (answer.status, answer.note) == (Status.NOT_ASKED, "unaskable")
    assert server.queries == []


class TestRetries:
    async def test_silence_ends_as_timeout_after_three_attempts(self) -> None:
        async with LoopbackDns(silence) as server, asking(server) as resolver:
            answer = await resolver.resolve(CLINIC)
        assert (answer.status, answer.rcode) == (Status.TIMEOUT, None)
        assert answer.server == str(server.nameserver)
        assert 290 <= answer.took_ms < 2_000
        assert len(server.queries) == 3

    async def test_each_attempt_has_another_id_and_socket(self) -> None:
        async with LoopbackDns(silence) as server, asking(server, attempts=6) as resolver:
            await resolver.resolve(CLINIC)
        count = len(server.queries)
        assert count > 3
        assert len({query.id for query in server.queries}) >= count - 1  # they may coincide once in a blue moon
        assert len(set(server.clients)) == count

    async def test_a_lost_packet_is_sent_again(self) -> None:
        def udp(query: dns.message.Message) -> list[bytes]:
            return good(query) if len(server.queries) == 2 else []

        async with LoopbackDns(udp) as server, asking(server) as resolver:
            assert (await resolver.resolve(CLINIC)).present
            assert resolver.statistics.silent == 1

    async def test_a_late_answer_to_the_first_attempt_counts(self) -> None:
        first: list[dns.message.Message] = []

        def udp(query: dns.message.Message) -> list[bytes]:
            first.append(query)
            return good(first[0]) if len(first) == 2 else []

        # The first query's id, sent to the second's port: only a late answer on its own socket may count.
        async with LoopbackDns(udp) as server, asking(server, sockets=1) as resolver:
            assert (await resolver.resolve(CLINIC)).present
            assert len(server.queries) == 2

    async def test_the_second_server_is_asked_when_the_first_is_silent(self) -> None:
        async with LoopbackDns(silence) as dead, LoopbackDns(good) as alive, asking(dead, alive) as resolver:
            answer = await resolver.resolve(CLINIC)
        assert answer.present
        assert answer.server == str(alive.nameserver)

    async def test_a_silent_server_loses_its_first_place(self) -> None:
        zone = Zone.parse("\n".join(f'd{n}.example TXT "x"' for n in range(5)))
        async with (
            LoopbackDns(silence) as dead,
            LoopbackDns(serving(zone)) as alive,
            asking(dead, alive, timeout_s=0.15) as resolver,
        ):
            for number in range(5):
                assert (await resolver.resolve(txt(f"d{number}.example"))).present
        assert len(dead.queries) == 3
        assert len(alive.queries) == 5

    @pytest.mark.parametrize("code", [2, 5, 9])
    async def test_a_failing_server_makes_room_for_the_next_at_once(self, code: int) -> None:
        async with (
            LoopbackDns(lambda query: [reply(query, rcode=code)]) as broken,
            LoopbackDns(good) as alive,
            asking(broken, alive, timeout_s=60.0) as resolver,
        ):
            assert (await resolver.resolve(CLINIC)).present
        assert len(broken.queries) == 1

    async def test_the_most_telling_failure_is_the_answer(self) -> None:
        async with (
            LoopbackDns(lambda query: [reply(query, rcode=2)]) as bogus,
            LoopbackDns(lambda query: [reply(query, rcode=5)]) as closed,
            asking(bogus, closed) as resolver,
        ):
            answer = await resolver.resolve(CLINIC)
        assert (answer.status, answer.rcode, answer.server) == (Status.SERVFAIL, 2, str(bogus.nameserver))

    async def test_one_failing_server_is_not_asked_again_for_the_same(self) -> None:
        async with (
            LoopbackDns(lambda query: [reply(query, rcode=2)]) as server,
            asking(server, timeout_s=60.0) as resolver,
        ):
            assert (await resolver.resolve(CLINIC)).status is Status.SERVFAIL
        assert len(server.queries) == 1

    async def test_a_lame_server_makes_room_for_the_next(self) -> None:
        async with (
            LoopbackDns(lambda query: [reply(query, flags=0)]) as lame,
            LoopbackDns(good) as alive,
            asking(lame, alive, timeout_s=60.0) as resolver,
        ):
            assert (await resolver.resolve(CLINIC)).present

    async def test_a_port_where_nobody_listens_is_noticed_at_once(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
        settings = ResolverSettings(nameservers=(NameServer("127.0.0.1", port),), timeout_s=60.0)
        async with Resolver(settings) as resolver:
            answers = await asyncio.gather(*(resolver.resolve(txt(f"d{n}.example")) for n in range(600)))
        assert {(answer.status, answer.note) for answer in answers} == {(Status.TIMEOUT, "unreachable")}


class TestEdns:
    @pytest.mark.parametrize("code", [1, 4])
    async def test_a_server_that_stumbles_over_edns_is_asked_without(self, code: int) -> None:
        def udp(query: dns.message.Message) -> list[bytes]:
            return good(query) if query.edns < 0 else [query.id.to_bytes(2, "big") + bytes([0x80, code]) + bytes(8)]

        async with LoopbackDns(udp) as server, asking(server, timeout_s=60.0) as resolver:
            assert (await resolver.resolve(CLINIC)).present
            assert (await resolver.resolve(txt("other.example"))).absent
        assert [query.edns for query in server.queries] == [0, -1, -1]

    async def test_a_server_that_fails_either_way_fails(self) -> None:
        async with (
            LoopbackDns(lambda query: [reply(query, rcode=1)]) as server,
            asking(server, timeout_s=60.0) as resolver,
        ):
            assert (await resolver.resolve(CLINIC)).status is Status.ERROR
        assert [query.edns for query in server.queries] == [0, -1]


class TestForgeries:
    async def test_wrong_ids_questions_and_garbage_are_ignored_and_counted(self) -> None:
        def udp(query: dns.message.Message) -> list[bytes]:
            forged = reply(query, 'clinic.example.jp. 300 IN TXT "v=spf1 +all"')
            other = dns.message.make_query("clinic.example.com", "TXT", id=query.id)
            return [
                bytes([forged[0] ^ 1]) + forged[1:],
                reply(other, 'clinic.example.com. 300 IN TXT "v=spf1 +all"'),
                query.to_wire(),
                b"",
                forged[:2],
                b"\xff" * 600,
                *good(query),
                forged,
            ]

        async with LoopbackDns(udp) as server, asking(server) as resolver:
            answer = await resolver.resolve(CLINIC)
            await resolver.resolve(txt("later.example"))
            assert resolver.statistics.ignored >= 6
        assert answer.texts == (b"v=spf1 -all",)

    async def test_ignored_datagrams_do_not_end_the_wait(self) -> None:
        async with LoopbackDns(lambda query: [b"\xff" * 40] * 20) as server, asking(server) as resolver:
            assert (await resolver.resolve(CLINIC)).status is Status.TIMEOUT

    async def test_a_forger_at_another_address_is_not_heard(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as forger:
            forger.bind(("127.0.0.1", 0))

            def udp(query: dns.message.Message) -> list[bytes]:
                forged = reply(query, 'clinic.example.jp. 300 IN TXT "v=spf1 +all"')
                forger.sendto(forged, server.clients[-1])
                return good(query)

            async with LoopbackDns(udp) as server, asking(server) as resolver:
                assert (await resolver.resolve(CLINIC)).texts == (b"v=spf1 -all",)


async def drip(query: dns.message.Message) -> AsyncIterator[bytes]:
    while True:
        yield b"\xff"
        await asyncio.sleep(0.005)


class TestTruncation:
    LONG = "clinic.example.jp. 300 IN TXT " + " ".join(['"' + "x" * 255 + '"'] * 20)

    async def test_a_truncated_answer_is_asked_for_over_tcp(self) -> None:
        async with (
            LoopbackDns(lambda query: [truncated(query)], lambda query: [framed(reply(query, self.LONG))]) as server,
            asking(server, timeout_s=60.0) as resolver,
        ):
            answer = await resolver.resolve(CLINIC)
        assert len(answer.texts[0]) == 5_100
        assert len(server.tcp_queries) == 1
        assert server.tcp_queries[0].payload == 1232

    @pytest.mark.parametrize(
        "pieces",
        [
            lambda query: [],
            lambda query: [b"\x00"],
            lambda query: [b"\x00\x00"],
            lambda query: [framed(b"\xff" * 300)],
            lambda query: [framed(truncated(query))],
            lambda query: [framed(good(query)[0])[:-4]],
            lambda query: [b"\xff\xff" + b"\xff" * 65_535 + b"more" * 50_000],
        ],
        ids=["closed", "half a length", "nothing", "garbage", "truncated again", "cut short", "64 KB and more"],
    )
    async def test_nonsense_over_tcp_ends_as_unanswered(self, pieces: Tcp) -> None:
        async with (
            LoopbackDns(lambda query: [truncated(query)] * 3, pieces) as server,
            asking(server, timeout_s=60.0) as resolver,
        ):
            answer = await resolver.resolve(CLINIC)
        assert answer.status in (Status.ERROR, Status.TIMEOUT)
        assert len(server.tcp_queries) == 1

    async def test_a_slow_drip_is_cut_off(self) -> None:
        async with LoopbackDns(lambda query: [truncated(query)], drip) as server, asking(server) as resolver:
            answer = await resolver.resolve(CLINIC)
        assert answer.status is Status.TIMEOUT
        assert answer.took_ms < 2_000

    async def test_after_nonsense_over_tcp_the_next_server_is_asked(self) -> None:
        async with (
            LoopbackDns(lambda query: [truncated(query)], drip) as dripping,
            LoopbackDns(good) as alive,
            asking(dripping, alive) as resolver,
        ):
            assert (await resolver.resolve(CLINIC)).present

    async def test_leaving_ends_a_conversation(self) -> None:
        async with LoopbackDns(lambda query: [truncated(query)], drip) as server:
            async with asking(server, timeout_s=60.0) as resolver:
                waiting = asyncio.ensure_future(resolver.resolve(CLINIC))
                await server.conversation.wait()
            assert (await waiting).note == "closed"


class TestChains:
    async def test_a_chain_is_followed_by_further_questions(self) -> None:
        links = {"a.example": "b.example", "b.example": "c.example"}

        def udp(query: dns.message.Message) -> list[bytes]:
            owner = question_text(query).split()[0]
            if owner in links:
                return [reply(query, f"{owner}. 60 IN CNAME {links[owner]}.")]
            return [reply(query, f'{owner}. 30 IN TXT "here"')]

        async with LoopbackDns(udp) as server, asking(server) as resolver:
            answer = await resolver.resolve(txt("a.example"))
            again = await resolver.resolve(txt("b.example"))
        assert answer.question == txt("a.example")
        assert (answer.texts, answer.aliases) == ((b"here",), (name("b.example"), name("c.example")))
        assert (answer.status, answer.ttl_s) == (Status.DATA, 30)
        assert (again.texts, again.aliases) == ((b"here",), (name("c.example"),))
        assert set(server.asked.values()) == {1}

    async def test_a_loop_over_several_servers_is_an_error(self) -> None:
        links = {"a.example": "b.example", "b.example": "a.example"}

        def udp(query: dns.message.Message) -> list[bytes]:
            owner = question_text(query).split()[0]
            return [reply(query, f"{owner}. 60 IN CNAME {links[owner]}.")]

        async with LoopbackDns(udp) as server, asking(server) as resolver:
            one, other = await asyncio.gather(*(resolver.resolve(txt(owner)) for owner in links))
        assert [(answer.status, answer.note) for answer in (one, other)] == [(Status.ERROR, "cname-loop")] * 2
        assert len(server.queries) == 2

    async def test_an_endless_chain_is_given_up(self) -> None:
        def udp(query: dns.message.Message) -> list[bytes]:
            owner = question_text(query).split()[0]
            return [reply(query, f"{owner}. 60 IN CNAME x{len(server.queries)}.example.")]

        async with LoopbackDns(udp) as server, asking(server) as resolver:
            answer = await resolver.resolve(txt("start.example"))
        assert (answer.status, answer.note) == (Status.ERROR, "cname-chain")
        assert len(server.queries) == 17

    async def test_a_failure_on_the_way_is_a_failure_of_the_question(self) -> None:
        def udp(query: dns.message.Message) -> list[bytes]:
            if question_text(query) == "a.example TXT":
                return [reply(query, "a.example. 60 IN CNAME b.example.")]
            return [reply(query, rcode=2)]

        async with LoopbackDns(udp) as server, asking(server) as resolver:
            answer = await resolver.resolve(txt("a.example"))
        assert (answer.status, answer.aliases, answer.denies_name) == (Status.SERVFAIL, (name("b.example"),), False)


class TestSharing:
    async def test_equal_questions_under_way_are_asked_once(self) -> None:
        async with LoopbackDns(good) as server, asking(server) as resolver:
            answers = await asyncio.gather(*(resolver.resolve(CLINIC) for _ in range(20)))
            assert resolver.statistics.shared == 19
        assert len(server.queries) == 1
        assert {answer.texts for answer in answers} == {(b"v=spf1 -all",)}
        assert sorted(answer.took_ms > 0 for answer in answers) == [False] * 19 + [True]

    async def test_a_positive_answer_is_kept(self) -> None:
        async with LoopbackDns(good) as server, asking(server) as resolver:
            first, second = await resolver.resolve(CLINIC), await resolver.resolve(CLINIC)
            assert resolver.statistics.cached == 1
        assert len(server.queries) == 1
        assert (second.texts, second.took_ms, second.asked_at) == (first.texts, 0.0, first.asked_at)

    @pytest.mark.parametrize("ttl", [0, 300])
    async def test_a_denial_is_kept_as_long_as_its_soa_says(self, ttl: int) -> None:
        soa = f"jp. 900 IN SOA a.example. b.example. 1 2 3 4 {ttl}"
        async with (
            LoopbackDns(lambda query: [reply(query, rcode=3, authority=[soa])]) as server,
            asking(server) as resolver,
        ):
            assert [(await resolver.resolve(CLINIC)).status for _ in range(2)] == [Status.NXDOMAIN] * 2
        assert len(server.queries) == (1 if ttl else 2)

    async def test_in_one_run_nothing_is_asked_twice(self) -> None:
        def udp(query: dns.message.Message) -> list[bytes]:
            return {
                "zero.example TXT": [reply(query, 'zero.example. 0 IN TXT "x"')],
                "none.example TXT": [reply(query)],
                "bad.example TXT": [reply(query, rcode=2)],
            }.get(question_text(query), [])

        names = ("zero.example", "none.example", "bad.example", "dead.example")
        async with (
            LoopbackDns(udp) as server,
            asking(server, hold_s=3600.0, attempts=1, timeout_s=0.05) as resolver,
        ):
            for _ in range(3):
                for owner in names:
                    await resolver.resolve(txt(owner))
        assert server.asked == {f"{owner} TXT": 1 for owner in names}

    async def test_a_daemon_remembers_a_failure_only_shortly(self) -> None:
        async with (
            LoopbackDns(lambda query: [reply(query, rcode=2)]) as server,
            asking(server, failure_ttl_s=0.0) as resolver,
        ):
            await resolver.resolve(CLINIC)
            await resolver.resolve(CLINIC)
        assert len(server.queries) == 2


class TestBounds:
    async def test_no_more_than_the_bound_are_in_flight(self) -> None:
        held: list[dns.message.Message] = []

        def udp(query: dns.message.Message) -> list[bytes]:
            held.append(query)
            return []

        async with LoopbackDns(udp) as server, asking(server, max_in_flight=5, timeout_s=60.0) as resolver:
            waiting = [asyncio.ensure_future(resolver.resolve(txt(f"d{n}.example"))) for n in range(50)]
            answered = 0
            while answered < 50:
                await server.until(answered + 1)
                assert len(server.queries) <= answered + 5
                query = held.pop()
                server.transport.sendto(reply(query), server.clients[server.queries.index(query)])
                answered += 1
            assert all(answer.absent for answer in await asyncio.gather(*waiting))
        assert len(server.queries) == 50

    async def test_sockets_are_few_random_and_retired(self) -> None:
        zone = Zone.parse("\n".join(f'd{n}.example TXT "x"' for n in range(400)))
        async with (
            LoopbackDns(serving(zone)) as server,
            asking(server, sockets=4, socket_uses=20, timeout_s=60.0) as resolver,
        ):
            for start in range(0, 400, 50):
                await asyncio.gather(*(resolver.resolve(txt(f"d{n}.example")) for n in range(start, start + 50)))
            (upstream,) = resolver._upstreams
            assert len(upstream.open_sockets) == 4
            assert not any(udp.is_open for udp in upstream.retired_sockets)
        ports = [port for _, port in server.clients]
        assert len(set(ports)) >= 20
        assert max(ports.count(port) for port in set(ports)) <= 20
        assert len(server.queries) == 400

    async def test_a_retired_socket_stays_open_until_its_questions_are_done(self) -> None:
        held: list[dns.message.Message] = []

        def udp(query: dns.message.Message) -> list[bytes]:
            held.append(query)
            return []

        async with (
            LoopbackDns(udp) as server,
            asking(server, sockets=1, socket_uses=1, timeout_s=60.0) as resolver,
        ):
            waiting = [asyncio.ensure_future(resolver.resolve(txt(f"d{n}.example"))) for n in range(3)]
            await server.until(3)
            assert len(set(server.clients)) == 3
            for query, client in zip(held, server.clients, strict=True):
                server.transport.sendto(reply(query), client)
            assert all(answer.absent for answer in await asyncio.gather(*waiting))

    async def test_leaving_answers_what_is_open(self) -> None:
        async with (
            LoopbackDns(silence) as server,
            asking(server, max_in_flight=1, timeout_s=60.0) as resolver,
        ):
            waiting = [asyncio.ensure_future(resolver.resolve(txt(f"d{n}.example"))) for n in range(2)]
            await server.until(1)
        sent, queued = await asyncio.gather(*waiting)
        assert (sent.status, sent.note) == (Status.TIMEOUT, "closed")
        assert (queued.status, queued.note) == (Status.NOT_ASKED, "closed")
        later: Answer = await resolver.resolve(Question(name("late.example"), RRType.A))
        assert (later.status, later.note) == (Status.NOT_ASKED, "closed")


async def test_txt_octets_that_are_no_utf8_arrive_as_they_are() -> None:
    async with (
        LoopbackDns(lambda query: [reply(query, r'clinic.example.jp. 1 IN TXT "\200\255" ""')]) as server,
        asking(server) as resolver,
    ):
        assert (await resolver.resolve(CLINIC)).records == (Txt((b"\xc8\xff", b"")),)
