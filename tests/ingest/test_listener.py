"""The listener as a stranger on the network sees it."""

from __future__ import annotations

import asyncio
import logging
import smtplib
import time
from dataclasses import replace

import pytest

from mailguard.feedback.envelope import ReceivedMail
from mailguard.spool import SpoolFull
from tests.ingest.client import ENVELOPE, MAIL, SETTINGS, Inbox, listening


async def test_a_mail_arrives_as_it_was_sent() -> None:
    inbox = Inbox()
    async with listening(inbox) as (listener, _):

        def send() -> None:
            with smtplib.SMTP("127.0.0.1", listener.port, local_hostname="a.example") as smtp:
                smtp.sendmail("dmarc@reporter.example", ["dmarc@clinic.example.jp"], MAIL)
                smtp.sendmail("", ["dmarc@clinic.example.jp"], MAIL)

        await asyncio.to_thread(send)
    assert inbox[0] == ReceivedMail(
        raw=MAIL,
        received_at=1790000000,
        peer="127.0.0.1",
        mail_from="dmarc@reporter.example",
        rcpt_to=("dmarc@clinic.example.jp",),
        helo="a.example",
    )
    assert [mail.mail_from for mail in inbox] == ["dmarc@reporter.example", ""]


async def test_250_comes_after_the_mail_is_safe() -> None:
    safe = asyncio.Event()

    async def deliver(mail: ReceivedMail) -> None:
        await safe.wait()

    async with listening(deliver) as (_, connect):
        client = await connect()
        await client.begin(*ENVELOPE, "DATA")
        client.writer.write(MAIL + b".\r\n")
        waiting = asyncio.create_task(client.reply())
        await asyncio.wait({waiting}, timeout=0.05)
        assert not waiting.done()
        safe.set()
        assert (await waiting).startswith("250")


async def test_our_trouble_is_not_told_and_not_final(caplog: pytest.LogCaptureFixture) -> None:
    async def deliver(mail: ReceivedMail) -> None:
        raise OSError("disk full at /var/lib/secret")

    async with listening(deliver) as (_, connect):
        client = await connect()
        await client.begin(*ENVELOPE, "DATA")
        assert await client.say(MAIL.decode() + ".") == "451 4.3.0 Local trouble, please try again later"
        assert (await client.say("NOOP")).startswith("250")
    assert "disk full" in caplog.text


async def test_a_full_disk_is_told_as_such(caplog: pytest.LogCaptureFixture) -> None:
    async def deliver(mail: ReceivedMail) -> None:
        raise SpoolFull("The file system has 0 bytes left.")

    async with listening(deliver) as (_, connect):
        client = await connect()
        await client.begin(*ENVELOPE, "DATA")
        assert (await client.say(MAIL.decode() + ".")).startswith("452 4.3.1")
    assert "0 bytes left" in caplog.text


async def test_no_mail_is_begun_that_could_not_be_kept() -> None:
    async with listening(Inbox(), has_room=lambda size: size < 1000) as (_, connect):
        client = await connect()
        await client.begin("EHLO a.example")
        assert (await client.say("MAIL FROM:<a@b.example> SIZE=1000")).startswith("452 4.3.1")
        assert (await client.say("MAIL FROM:<a@b.example> SIZE=999")).startswith("250")


async def test_a_disk_that_does_not_answer_is_not_waited_for_for_ever() -> None:
    forever = asyncio.Event()

    async def deliver(mail: ReceivedMail) -> None:
        await forever.wait()

    async with listening(deliver, replace(SETTINGS, deliver_s=0.05)) as (_, connect):
        client = await connect()
        await client.begin(*ENVELOPE, "DATA")
        assert (await client.say("x\r\n.")).startswith("451")
        forever.set()


async def test_a_bug_in_the_dialogue_is_not_told_either(caplog: pytest.LogCaptureFixture) -> None:
    def accepts(address: str) -> str:
        raise ValueError("secret")

    async with listening(Inbox(), accepts=accepts) as (_, connect):
        client = await connect()
        assert (await client.begin(*ENVELOPE[:2], "RCPT TO:<x@y.example>")).startswith("451 4.3.0")
    assert "a session failed" in caplog.text


async def test_addresses_with_a_token_are_asked_about() -> None:
    inbox = Inbox()
    known = {"dmarc+7tk2x@clinic.example.jp": "dmarc+7tk2x@clinic.example.jp"}
    async with listening(inbox, accepts=lambda address: known.get(address.lower())) as (_, connect):
        client = await connect()
        await client.begin(*ENVELOPE[:2])
        assert (await client.say("RCPT TO:<dmarc+guess@clinic.example.jp>")).startswith("550")
        assert (await client.say("RCPT TO:<DMARC+7TK2X@clinic.example.jp>")).startswith("250")
        await client.say("DATA")
        await client.say("x\r\n.")
    assert inbox[0].rcpt_to == ("dmarc+7tk2x@clinic.example.jp",)


async def test_no_more_recipients_than_allowed() -> None:
    async with listening(Inbox(), replace(SETTINGS, recipients=2)) as (_, connect):
        client = await connect()
        await client.begin(*ENVELOPE)
        assert (await client.say(ENVELOPE[2])).startswith("250")
        assert (await client.say(ENVELOPE[2])).startswith("452")


async def test_nobody_logs_in_and_nothing_is_given_away() -> None:
    async with listening(Inbox()) as (_, connect):
        client = await connect()
        assert await client.reply() == "220 reports.example.jp mailguard"
        hello = await client.say("EHLO a.example")
        assert "AUTH" not in hello
        assert "SIZE 15728640" in hello
        assert (await client.say("AUTH PLAIN AGEAYg==")).startswith("5")
        assert (await client.say("VRFY dmarc@clinic.example.jp")) == (await client.say("VRFY x@y.example"))
        assert (await client.say("EXPN staff")).startswith("502")


async def test_a_mail_that_is_too_big_is_heard_out_and_refused() -> None:
    inbox = Inbox()
    async with listening(inbox, replace(SETTINGS, mail_bytes=1000)) as (_, connect):
        client = await connect()
        await client.begin(*ENVELOPE, "DATA")
        assert (await client.say("x" * 1500 + "\r\n.")).startswith("552")
        assert (await client.say("MAIL FROM:<a@b.example> SIZE=2000")).startswith("552")
        assert (await client.say(ENVELOPE[1])).startswith("250")
    assert inbox == []


@pytest.mark.parametrize("block", [b"x" * 1000, b"\r\n" * 500], ids=["endless line", "empty lines"])
async def test_a_mail_without_end_is_cut_off(block: bytes) -> None:
    async with listening(Inbox(), replace(SETTINGS, mail_bytes=100_000)) as (_, connect):
        client = await connect()
        await client.begin(*ENVELOPE, "DATA")

        async def send_on() -> None:
            while not client.reader.at_eof():
                client.writer.write(block)
                await client.writer.drain()
            raise ConnectionResetError

        with pytest.raises(ConnectionError):
            await asyncio.wait_for(send_on(), 5)


async def test_long_lines_are_no_reason_to_refuse_a_report() -> None:
    inbox = Inbox()
    async with listening(inbox) as (_, connect):
        client = await connect()
        await client.begin(*ENVELOPE, "DATA")
        assert (await client.say("x" * 100_000 + "\r\n.")).startswith("250")
    assert len(inbox[0].raw) == 100_002


async def test_commands_sent_along_with_a_mail_are_answered_in_order() -> None:
    inbox = Inbox()
    async with listening(inbox) as (_, connect):
        client = await connect()
        await client.begin(*ENVELOPE, "DATA")
        client.writer.write(MAIL + b".\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<x@y.example>\r\nQUIT\r\n")
        codes = [(await client.reply())[:3] for _ in range(4)]
    assert codes == ["250", "250", "550", "221"]
    assert len(inbox) == 1


async def test_a_mail_in_a_mail_stays_one_mail() -> None:
    inbox = Inbox()
    async with listening(inbox) as (_, connect):
        client = await connect()
        await client.begin(*ENVELOPE, "DATA")
        client.writer.write(
            b"x\n.\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<dmarc@clinic.example.jp>\r\nDATA\r\ny\r\n.\r\n"
        )
        assert (await client.reply()).startswith("250")
    assert [mail.mail_from for mail in inbox] == ["dmarc@reporter.example"]


async def test_connections_from_one_network_are_counted_and_forgotten() -> None:
    async with listening(Inbox(), replace(SETTINGS, connections_per_network=2)) as (_, connect):
        first, second, third = [await connect() for _ in range(3)]
        assert (await first.reply()).startswith("220")
        assert (await second.reply()).startswith("220")
        assert (await third.reply()).startswith("421 4.3.2")
        assert await third.reply() == ""
        assert (await first.say("QUIT")).startswith("221")
        assert await first.reply() == ""
        assert (await (await connect()).reply()).startswith("220")


async def test_connections_in_all_are_counted() -> None:
    async with listening(Inbox(), replace(SETTINGS, connections=1)) as (_, connect):
        assert (await (await connect()).reply()).startswith("220")
        assert (await (await connect()).reply()).startswith("421")


async def test_bytes_in_flight_are_counted_over_all_sessions() -> None:
    async with listening(Inbox(), replace(SETTINGS, bytes_in_flight=10_000)) as (listener, connect):
        first, second = await connect(), await connect()
        await first.begin(*ENVELOPE, "DATA")
        await second.begin(*ENVELOPE, "DATA")
        first.writer.write(b"x" * 6_000)
        while not listener._gate._all_held:  # noqa: ASYNC110 - no event tells that bytes arrived
            await asyncio.sleep(0)
        assert (await second.say("y" * 6_000)).startswith("452 4.3.1")
        assert (await first.say("\r\n.")).startswith("250")


async def test_a_declared_size_counts_from_the_start() -> None:
    async with listening(Inbox(), replace(SETTINGS, bytes_in_flight=10_000)) as (_, connect):
        first, second = await connect(), await connect()
        assert (await first.begin(ENVELOPE[0], "MAIL FROM:<a@b.example> SIZE=10001")).startswith("452 4.3.1")
        for client in (first, second):
            await client.say(ENVELOPE[0]) if client is first else await client.begin(ENVELOPE[0])
            assert (await client.say("MAIL FROM:<a@b.example> SIZE=6000")).startswith("250")
            await client.say(ENVELOPE[2])
        assert (await first.say("DATA")).startswith("354")
        assert (await second.say("DATA")).startswith("452 4.3.1")
        assert (await first.say("x\r\n.")).startswith("250")
        await second.say(ENVELOPE[1])
        await second.say(ENVELOPE[2])
        assert (await second.say("DATA")).startswith("354")


async def test_one_network_cannot_hold_all_the_room() -> None:
    async with listening(Inbox(), replace(SETTINGS, bytes_in_flight_per_network=10_000)) as (_, connect):
        begun = [ENVELOPE[0], "MAIL FROM:<a@b.example> SIZE=6000", ENVELOPE[2], "DATA"]
        assert (await (await connect("127.0.0.1")).begin(*begun)).startswith("354")
        assert (await (await connect("127.0.0.2")).begin(*begun[:2])).startswith("452 4.3.1")
        assert (await (await connect("127.0.1.1")).begin(*begun)).startswith("354")


async def test_who_announces_large_mails_and_lets_them_drip_keeps_nobody_out() -> None:
    inbox = Inbox()
    async with listening(inbox, replace(SETTINGS, bytes_in_flight=10_000)) as (listener, connect):
        holder = await connect()
        await holder.begin(ENVELOPE[0], "MAIL FROM:<a@b.example> SIZE=10000", ENVELOPE[2], "DATA")
        good = await connect("127.0.1.1")
        assert (await good.begin(*ENVELOPE[:2])).startswith("250")
        assert (await good.say(ENVELOPE[2])).startswith("250")
        listener._gate._clock = lambda: time.monotonic() + 2
        assert (await good.say("DATA")).startswith("354")
        assert (await good.say("x\r\n.")).startswith("250")
        assert (await good.say("MAIL FROM:<a@b.example> SIZE=9000")).startswith("250")
        await good.say(ENVELOPE[2])
        assert (await good.say("DATA")).startswith("354")
        assert (await holder.reply()).startswith("452 4.3.1")
        assert await holder.reply() == ""
        assert (await good.say("x\r\n.")).startswith("250")
        assert not listener._gate._all_held
    assert len(inbox) == 2


async def test_mails_in_one_session_are_counted() -> None:
    async with listening(Inbox(), replace(SETTINGS, mails=1)) as (_, connect):
        client = await connect()
        await client.begin(*ENVELOPE, "DATA")
        assert (await client.say("x\r\n.")).startswith("250")
        for line in ENVELOPE[1:]:
            await client.say(line)
        assert (await client.say("DATA")).startswith("421")
        assert await client.reply() == ""


@pytest.mark.parametrize("said", [(), ENVELOPE], ids=["greeting", "commands"])
async def test_an_idle_peer_is_let_go(said: tuple[str, ...]) -> None:
    async with listening(Inbox(), replace(SETTINGS, idle_s=0.05)) as (_, connect):
        client = await connect()
        await client.begin(*said) if said else await client.reply()
        assert (await client.reply()).startswith("421 4.4.2")
        assert await client.is_let_go()


@pytest.mark.parametrize("pause_s", [0.01, 10], ids=["drips", "is silent"])
@pytest.mark.parametrize("bound", [{"data_s": 0.1}, {"pace_s": 0.05}], ids=["for too long", "too slow"])
async def test_a_peer_whose_mail_does_not_come_on_is_let_go(pause_s: float, bound: dict[str, float]) -> None:
    async with listening(Inbox(), replace(SETTINGS, **bound)) as (_, connect):
        client = await connect()
        await client.begin(*ENVELOPE, "DATA")

        async def drip() -> None:
            while True:
                client.send(b"x")
                await asyncio.sleep(pause_s)

        dripping = asyncio.create_task(drip())
        assert (await client.reply()).startswith("421 4.4.2")
        dripping.cancel()


async def test_a_peer_that_sends_fast_enough_may_go_on() -> None:
    inbox = Inbox()
    async with listening(inbox, replace(SETTINGS, pace_s=0.02, bytes_per_s=1000)) as (_, connect):
        client = await connect()
        await client.begin(*ENVELOPE, "DATA")
        for _ in range(20):
            client.send(b"x" * 1000)
            await asyncio.sleep(0.005)
        assert (await client.say("\r\n.")).startswith("250")
    assert len(inbox[0].raw) == 20_002


async def test_a_session_has_an_end() -> None:
    async with listening(Inbox(), replace(SETTINGS, session_s=0.05)) as (_, connect):
        client = await connect()
        await client.reply()

        async def say_on() -> None:
            while await client.say("NOOP"):
                pass
            raise ConnectionResetError

        with pytest.raises(ConnectionError):
            await asyncio.wait_for(say_on(), 5)


async def test_a_peer_that_leaves_does_not_stop_a_delivery_half_way() -> None:
    begun, done = asyncio.Event(), asyncio.Event()

    async def deliver(mail: ReceivedMail) -> None:
        begun.set()
        await asyncio.sleep(0.05)
        done.set()

    async with listening(deliver) as (_, connect):
        client = await connect()
        await client.begin(*ENVELOPE, "DATA")
        client.writer.write(MAIL + b".\r\n")
        await begun.wait()
        client.writer.transport.abort()
    assert done.is_set()


async def test_stopping_says_farewell_to_who_has_no_mail_under_way() -> None:
    async with listening(Inbox()) as (listener, connect):
        client = await connect()
        await client.begin("EHLO a.example")
        stopping = asyncio.create_task(listener.stop())
        assert (await client.reply()).startswith("421 4.3.2")
        await stopping


async def test_stopping_lets_a_mail_under_way_come_to_its_end() -> None:
    inbox = Inbox()
    async with listening(inbox) as (listener, connect):
        client = await connect()
        await client.begin(*ENVELOPE, "DATA")
        stopping = asyncio.create_task(listener.stop())
        await asyncio.sleep(0.01)
        assert (await client.say("x\r\n.")).startswith("250")
        assert (await client.reply()).startswith("421 4.3.2")
        await stopping
    assert len(inbox) == 1


async def test_stopping_does_not_wait_longer_than_stated() -> None:
    async with listening(Inbox(), replace(SETTINGS, drain_s=0.05)) as (listener, connect):
        client = await connect()
        await client.begin(*ENVELOPE, "DATA")
        stopping = asyncio.create_task(listener.stop())
        assert (await client.reply()).startswith("421 4.3.2")
        await stopping


async def test_the_dialogue_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        async with listening(Inbox()) as (_, connect):
            client = await connect()
            await client.begin(*ENVELOPE, "DATA")
            await client.say("patient data\r\n.")
    assert caplog.text == ""
