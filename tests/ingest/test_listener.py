"""The listener as a stranger on the network sees it."""

from __future__ import annotations

import asyncio
import logging
import re
import smtplib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from mailguard.feedback.envelope import ReceivedMail
from mailguard.ingest.listener import Listener, ListenerSettings

SETTINGS = ListenerSettings(addresses=("dmarc@clinic.example.jp",), hostname="reports.example.jp")
MAIL = b"From: dmarc@reporter.example\r\nSubject: x\r\n\r\n.hello\r\n"
ENVELOPE = ("EHLO a.example", "MAIL FROM:<dmarc@reporter.example>", "RCPT TO:<DMARC@clinic.example.jp>")


class Client:
    """A peer that says exactly what it is told to say."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def reply(self) -> str:
        """One reply, all lines; empty when the connection was closed."""
        lines = []
        async with asyncio.timeout(5):
            while line := await self.reader.readline():
                lines.append(line.decode().rstrip())
                if line[3:4] != b"-":
                    break
        return "\n".join(lines)

    async def say(self, line: str) -> str:
        self.writer.write(line.encode() + b"\r\n")
        return await self.reply()

    async def begin(self, *lines: str) -> str:
        await self.reply()
        for line in lines:
            answer = await self.say(line)
        return answer


@asynccontextmanager
async def listening(
    deliver: Callable[[ReceivedMail], Awaitable[None]], settings: ListenerSettings = SETTINGS
) -> AsyncIterator[tuple[Listener, Callable[[], Awaitable[Client]]]]:
    clients: list[Client] = []

    async def connect() -> Client:
        clients.append(Client(*await asyncio.open_connection("127.0.0.1", listener.port)))
        return clients[-1]

    async with Listener(settings, deliver, now=lambda: 1790000000.5) as listener:
        try:
            yield listener, connect
        finally:
            for client in clients:
                client.writer.close()


class Inbox(list[ReceivedMail]):
    async def __call__(self, mail: ReceivedMail) -> None:
        self.append(mail)


async def test_a_mail_arrives_as_it_was_sent() -> None:
    inbox = Inbox()
    async with listening(inbox) as (listener, _):

        def send() -> None:
            with smtplib.SMTP("127.0.0.1", listener.port, local_hostname="a.example") as smtp:
                smtp.sendmail("dmarc@reporter.example", ["dmarc@clinic.example.jp"], MAIL)
                smtp.sendmail("", ["dmarc@clinic.example.jp"], MAIL)

        await asyncio.to_thread(send)
    assert inbox[0] == ReceivedMail(
        MAIL, 1790000000, "127.0.0.1", "dmarc@reporter.example", ("dmarc@clinic.example.jp",)
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


async def test_a_bug_in_the_dialogue_is_not_told_either(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with listening(Inbox()) as (listener, connect):

        async def broken(*_: object) -> str:
            raise ValueError("secret")

        monkeypatch.setattr(listener._handler, "handle_RCPT", broken)
        client = await connect()
        assert (await client.begin(*ENVELOPE)).startswith("451 4.3.0")
    assert "a session failed" in caplog.text


@pytest.mark.parametrize(
    "address",
    [
        "<someone@clinic.example.jp>",
        "<dmarc@other.example.jp>",
        "<dmarc@clinic.example.jp.other.example>",
        "<dmarc%other.example@clinic.example.jp>",
        '<"dmarc@other.example"@clinic.example.jp>',
        "<@clinic.example.jp:someone@other.example>",
        "<other.example!dmarc@clinic.example.jp>",
        "<dmarc>",
        "<postmaster>",
    ],
)
async def test_nobody_else_is_written_to(address: str) -> None:
    async with listening(Inbox()) as (_, connect):
        client = await connect()
        await client.begin(*ENVELOPE[:2])
        assert re.match("55[03] ", await client.say(f"RCPT TO:{address}"))
        assert (await client.say("DATA")).startswith("503")


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
        while listener._gate._room == 10_000:  # noqa: ASYNC110 - no event tells that bytes arrived
            await asyncio.sleep(0)
        assert (await second.say("y" * 6_000)).startswith("452 4.3.1")
        assert (await first.say("\r\n.")).startswith("250")


async def test_mails_in_one_session_are_counted() -> None:
    async with listening(Inbox(), replace(SETTINGS, mails=1)) as (_, connect):
        client = await connect()
        await client.begin(*ENVELOPE, "DATA")
        assert (await client.say("x\r\n.")).startswith("250")
        for line in ENVELOPE[1:]:
            await client.say(line)
        assert (await client.say("DATA")).startswith("421")
        assert await client.reply() == ""


@pytest.mark.parametrize("said", [(), ENVELOPE, (*ENVELOPE, "DATA")], ids=["greeting", "commands", "data"])
async def test_an_idle_peer_is_let_go(said: tuple[str, ...]) -> None:
    async with listening(Inbox(), replace(SETTINGS, idle_s=0.05)) as (_, connect):
        client = await connect()
        await client.begin(*said) if said else await client.reply()
        assert await client.reply() in ("", "421 4.4.2 Too slow, closing the connection")


async def test_a_peer_that_drips_is_let_go() -> None:
    async with listening(Inbox(), replace(SETTINGS, data_s=0.1)) as (_, connect):
        client = await connect()
        await client.begin(*ENVELOPE, "DATA")

        async def drip() -> None:
            while True:
                client.writer.write(b"x")
                await asyncio.sleep(0.01)

        dripping = asyncio.create_task(drip())
        assert (await client.reply()).startswith("421 4.4.2")
        dripping.cancel()


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


async def test_leaving_says_farewell_to_open_sessions() -> None:
    async with listening(Inbox()) as (_, connect):
        client = await connect()
        await client.begin("EHLO a.example")
        leaving = asyncio.create_task(client.reply())
        await asyncio.sleep(0)
    assert (await leaving).startswith("421") or leaving.result() == ""


async def test_the_dialogue_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        async with listening(Inbox()) as (_, connect):
            client = await connect()
            await client.begin(*ENVELOPE, "DATA")
            await client.say("patient data\r\n.")
    assert caplog.text == ""
