"""Everything that FAULTS names against a public listener, with a raw socket."""

from __future__ import annotations

import asyncio
import logging
import tracemalloc
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mailguard.feedback.envelope import ReceivedMail
from mailguard.ingest.listener import Listener
from mailguard.spool import Spool
from tests.ingest.client import ENVELOPE, MAIL, SETTINGS, Client, Inbox, listening

Connect = Callable[..., Awaitable[Client]]

# What other servers took for the end of a mail, or for a line's end before it. Only CRLF.CRLF is one.
SMUGGLING = [
    b"\n.\n",
    b"\n.\r\n",
    b"\r\n.\n",
    b"\r.\r",
    b"\r.\r\n",
    b"\r\n.\r",
    b"\n.\r",
    b"\r.\n",
    b"\r\n\x00.\r\n",
    b"\r\n.\x00\r\n",
    b"\r\n. \r\n",
    b"\r\n.\t\r\n",
    b"\r\n.\r\r\n",
    b"\r\r\n.\r\r\n",
    b"\n\n.\n\n",
    b"\r\n..\r\n",
    b"\x0b.\x0b",
    b"\xc2\x85.\xc2\x85",
]
SMUGGLED = b"MAIL FROM:<forged@b.example>\r\nRCPT TO:<dmarc@clinic.example.jp>\r\nDATA\r\nforged"


@pytest.mark.parametrize("end", SMUGGLING, ids=repr)
@pytest.mark.parametrize("block", [1, 7, 10_000])
async def test_a_mail_cannot_carry_another_in(end: bytes, block: int) -> None:
    inbox = Inbox()
    data = b"Subject: one\r\n\r\nx" + end + SMUGGLED + b"\r\n.\r\n"
    async with listening(inbox) as (_, connect):
        client = await connect()
        await client.begin(*ENVELOPE, "DATA")
        for at in range(0, len(data), block):
            client.send(data[at : at + block])
            if block < 100:
                await asyncio.sleep(0)
        assert (await client.reply()).startswith("250")
        assert (await client.say("NOOP")).startswith("250 OK"), "there was one reply and no more"
    assert [mail.mail_from for mail in inbox] == ["dmarc@reporter.example"]
    assert b"forged" in inbox[0].raw


async def test_a_whole_session_sent_at_once_is_answered_in_order() -> None:
    inbox = Inbox()
    async with listening(inbox) as (_, connect):
        client = await connect()
        client.send(
            "\r\n".join((*ENVELOPE, "DATA", "one", ".", *ENVELOPE[1:], "DATA", "two", ".", "QUIT", "")).encode()
        )
        codes = [(await client.reply())[:3] for _ in range(11)]
    assert codes == ["220", "250", "250", "250", "354", "250", "250", "250", "354", "250", "221"]
    assert [mail.raw for mail in inbox] == [b"one\r\n", b"two\r\n"]


RELAY = [
    "someone@elsewhere.example",
    "dmarc@elsewhere.example",
    "someone@clinic.example.jp",
    "dmarc%elsewhere.example@clinic.example.jp",
    "elsewhere.example!dmarc@clinic.example.jp",
    "elsewhere.example!dmarc",
    "@clinic.example.jp:someone@elsewhere.example",
    "@elsewhere.example:dmarc@clinic.example.jp",
    '"someone@elsewhere.example"@clinic.example.jp',
    '"dmarc@clinic.example.jp"@elsewhere.example',
    '"dmarc"@clinic.example.jp',
    "dmarc@clinic.example.jp@elsewhere.example",
    "dmarc@clinic.example.jp.elsewhere.example",
    "dmarc@elsewhere.clinic.example.jp",
    "dmarc@[127.0.0.1]",
    "dmarc@127.0.0.1",
    "dmarc@localhost",
    "dmarc@clinic.example.jp.",
    "dmarc@",
    "dmarc",
    "postmaster",
    "root",
    "|/bin/sh",
    "/tmp/file",
]


@pytest.mark.parametrize("address", RELAY)
async def test_nothing_is_relayed(address: str) -> None:
    async with listening(Inbox()) as (_, connect):
        client = await connect()
        await client.begin(*ENVELOPE[:2])
        assert (await client.say(f"RCPT TO:<{address}>")).startswith("550 5.7.1")
        assert (await client.say("DATA")).startswith("503")


@pytest.mark.parametrize(
    "line",
    [
        "AUTH",
        "AUTH PLAIN AGEAYg==",
        "AUTH LOGIN",
        "AUTH CRAM-MD5",
        "AUTH XOAUTH2 x",
        "auth plain",
        "AUTH =",
        "AUTHINFO",
    ],
)
async def test_nobody_logs_in(line: str) -> None:
    async with listening(Inbox()) as (_, connect):
        client = await connect()
        await client.begin("EHLO a.example")
        assert (await client.say(line)).startswith("50")
        assert (await client.say("MAIL FROM:<a@b.example> AUTH=<>")).startswith("555")
        assert (await client.say("NOOP")).startswith("250")


CUTS = [
    b"",
    b"EHLO a.exa",
    "\r\n".join(ENVELOPE[:2]).encode(),
    "\r\n".join((*ENVELOPE, "DATA\r\n")).encode(),
    "\r\n".join((*ENVELOPE, "DATA\r\nhalf a ma")).encode(),
    "\r\n".join((*ENVELOPE, "DATA\r\na mail\r\n.")).encode(),
    "\r\n".join((*ENVELOPE, "DATA\r\na mail\r\n.\r\n")).encode(),
]


@pytest.mark.parametrize("said", CUTS, ids=lambda said: repr(said[-9:]))
@pytest.mark.parametrize("how", ["abort", "close", "half close"])
async def test_a_peer_may_leave_at_any_point(said: bytes, how: str, caplog: pytest.LogCaptureFixture) -> None:
    inbox = Inbox()
    async with listening(inbox) as (listener, connect):
        client = await connect()
        client.send(said)
        await asyncio.sleep(0.01)
        if how == "half close":
            client.writer.write_eof()
        else:
            getattr(client.writer.transport, how)()
        assert await listener._gate.until_empty(2)
        assert listener._gate._all_held == 0
    assert len(inbox) == said.endswith(b"\r\n.\r\n")
    assert len(asyncio.all_tasks()) == 1
    assert caplog.text == ""


async def test_a_half_closed_connection_still_gets_its_answers() -> None:
    inbox = Slow()
    async with listening(inbox) as (_, connect):
        client = await connect()
        client.send("\r\n".join((*ENVELOPE, "DATA", "one", ".", "NOOP", "")).encode())
        client.writer.write_eof()
        assert [(await client.reply())[:3] for _ in range(7)] == ["220", "250", "250", "250", "354", "250", "250"]
        assert await client.is_let_go()
    assert len(inbox) == 1


async def test_a_half_closed_connection_may_have_sent_several_mails() -> None:
    inbox = Slow()
    async with listening(inbox) as (_, connect):
        client = await connect()
        mails = [line for text in ("one", "two", "three") for line in (*ENVELOPE[1:], "DATA", text, ".")]
        client.send("\r\n".join((ENVELOPE[0], *mails, "NOOP", "")).encode())
        client.writer.write_eof()
        heard = (await asyncio.wait_for(client.reader.read(), 5)).decode()
    assert [mail.raw for mail in inbox] == [b"one\r\n", b"two\r\n", b"three\r\n"]
    assert heard.count("250 2.0.0 OK") == 3
    assert heard.endswith("250 OK\r\n")


async def test_half_a_second_mail_before_half_closing_keeps_no_session_open() -> None:
    inbox = Slow()
    async with listening(inbox) as (listener, connect):
        client = await connect()
        client.send("\r\n".join((*ENVELOPE, "DATA", "one", ".", *ENVELOPE[1:], "DATA", "half a ma")).encode())
        client.writer.write_eof()
        assert await listener._gate.until_empty(2), "nothing more can come"
        assert listener._gate._all_held == 0
    assert [mail.raw for mail in inbox] == [b"one\r\n"]


class Slow(Inbox):
    """Takes its time, so that a peer can leave meanwhile."""

    async def __call__(self, mail: ReceivedMail) -> None:
        await asyncio.sleep(0.05)
        self.append(mail)


@pytest.mark.parametrize("again", [False, True], ids=["once", "comes again"])
async def test_who_leaves_before_the_250_has_its_mail_kept_all_the_same(again: bool, tmp_path: Path) -> None:
    async with Spool(tmp_path / "spool") as spool:
        async with listening(spool.put) as (listener, connect):  # type: ignore[arg-type]
            for _ in range(1 + again):
                client = await connect()
                await client.begin(*ENVELOPE, "DATA")
                client.send(MAIL + b".\r\n")
                while not listener._service.deliveries and not any(spool.shelf.new.iterdir()):  # noqa: ASYNC110
                    await asyncio.sleep(0)
                client.writer.transport.abort()
        kept = []
        while file := spool.shelf.claim():
            kept += spool.shelf.read(file).mails
    assert {mail.digest for mail in kept} == {kept[0].digest}
    assert len(kept) <= 1 + again


async def test_a_peer_that_reads_nothing_is_let_go() -> None:
    async with listening(Inbox(), replace(SETTINGS, idle_s=0.2, commands=10**6, errors=10**6)) as (listener, connect):
        client = await connect()
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        client.send(b"EHLO a.example\r\n")
        await asyncio.sleep(0)
        for _ in range(3000):
            if listener._gate._empty.is_set():
                break
            client.send(b"HELP\r\n" * 500)
            await asyncio.sleep(0.001)
        assert await listener._gate.until_empty(5)


@pytest.mark.parametrize(
    ("line", "last"),
    [
        (b"NOOP\r\n", "421 4.7.0"),
        (b"RSET\r\n", "421 4.7.0"),
        (b"VRFY x\r\n", "421 4.7.0"),
        (b"EHLO a.example\r\n", "421 4.7.0"),
        (b"RCPT TO:<x@y>\r\n", "421 4.7.0"),
        (b"\r\n", "421 4.7.0"),
        (b"\xff\xfe\r\n", "421 4.7.0"),
        (b"NOOP \xff\r\n", "421 4.7.0"),
        (b"XYZZY\r\n", "502 5.5.1"),
        (b"AUTH PLAIN AGEAYg==\r\n", "502 5.5.1"),
    ],
)
async def test_chatter_has_an_end(line: bytes, last: str) -> None:
    async with listening(Inbox()) as (_, connect):
        client = await connect()
        client.send(line * 200)
        replies = (await client.reader.read()).decode().splitlines()
        assert len(replies) <= SETTINGS.commands * 7 + 2  # a reply to EHLO has seven lines
        assert replies[-1].startswith(last)


@pytest.mark.parametrize("line", [b"XYZZY", b"X\x1b[2J", b"X\rY 250 2.0.0 OK", b"X\x00", b"<script>", b"a" * 400])
async def test_an_unknown_command_is_not_repeated_to_whoever_sent_it(line: bytes) -> None:
    async with listening(Inbox()) as (_, connect):
        client = await connect()
        await client.reply()
        client.send(line + b"\r\n")
        assert await client.reply() == "500 5.5.2 Unknown command"


async def test_a_line_that_is_too_long_is_one_error() -> None:
    async with listening(Inbox()) as (_, connect):
        client = await connect()
        assert (await client.begin("x" * 2000)).startswith("500")
        assert (await client.say("NOOP")).startswith("250")


@pytest.mark.parametrize(
    "block", [b"x" * 9000, b"\r\n" * 4500, b"NOOP\r\n" * 1500], ids=["line", "empty lines", "NOOPs"]
)
async def test_more_commands_than_anybody_needs_are_not_read(block: bytes) -> None:
    async with listening(Inbox()) as (_, connect):
        client = await connect()
        await client.reply()
        client.send(block)
        assert (await client.reply()).startswith("500 5.5.2")
        assert await client.is_let_go()


async def test_5000_recipients() -> None:
    async with listening(Inbox()) as (_, connect):
        client = await connect()
        await client.begin(*ENVELOPE[:2])
        accepted = 0
        for _ in range(5000):
            if not (reply := await client.say(ENVELOPE[2])).startswith(("250", "452")):
                break
            accepted += reply.startswith("250")
        assert accepted == SETTINGS.recipients
        assert reply.startswith("421")


async def test_a_good_sender_comes_through_while_all_places_are_held() -> None:
    """Attackers from everywhere hold every place; who has been silent longest makes room."""
    inbox = Inbox()
    settings = replace(SETTINGS, connections=30)
    async with listening(inbox, settings) as (listener, connect):
        for number in range(30):
            await connect(f"127.1.{number}.1")
        await asyncio.sleep(1.1)
        client = await connect("127.2.0.1")
        await client.begin(*ENVELOPE, "DATA")
        assert (await client.say("x\r\n.")).startswith("250")
        assert len(listener._gate.visitors) == 30
    assert len(inbox) == 1


SLOW = {
    "says nothing": ((), b""),
    "an endless line": ((), b"x"),
    "says nothing after a greeting": (("EHLO a.example",), b""),
    "says nothing in a mail": ((*ENVELOPE, "DATA"), b""),
    "a mail of a byte a second": ((*ENVELOPE, "DATA"), b"x"),
    "a mail of a little less than has to come": ((*ENVELOPE, "DATA"), b"x" * 499),
}


@pytest.mark.parametrize("how", SLOW)
async def test_who_is_slow_is_cut_within_a_minute(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the settings as they come, by a clock that is put forward second by second.

    Whoever sends ``bytes_per_s``, or a command each minute, is not slow; ``data_s`` and ``session_s`` end that.
    """
    said, each_second = SLOW[how]
    loop, seconds = asyncio.get_running_loop(), 0
    real = loop.time
    async with listening(Inbox()) as (listener, connect):
        client = await connect()
        await client.begin(*said)
        monkeypatch.setattr(loop, "time", lambda: real() + seconds)
        while listener._gate.visitors:
            assert seconds < 60
            seconds += 1
            client.send(each_second)
            for _ in range(10):  # the socket, the reader and the timers have their turns
                await asyncio.sleep(0)
    assert seconds >= 10


@pytest.fixture
def peak() -> Iterator[Callable[[], int]]:
    """The most bytes that Python has held since the test began."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()


EMPTY_LINES = b"\r\n" * 16_000
LIMIT = 4_000_000


async def send_empty_lines(client: Client, size: int) -> int:
    """So many bytes of empty lines, or fewer if the connection ends before; how many were sent."""
    for sent in range(0, size, len(EMPTY_LINES)):
        try:
            client.send(EMPTY_LINES)
            await client.writer.drain()
        except ConnectionError:
            return sent
    return size


async def test_a_bomb_of_a_mail_holds_no_memory(peak: Callable[[], int]) -> None:
    """Empty lines beyond the limit. No more than one mail of the limit is held while they come, and nothing after."""
    async with listening(Inbox(), replace(SETTINGS, mail_bytes=LIMIT)) as (listener, connect):
        client = await connect()
        await client.begin(*ENVELOPE, "DATA")
        await send_empty_lines(client, LIMIT * 3 // 2)
        assert await client.say(".") == "552 5.3.4 The mail is too big"
        assert listener._gate._all_held == 0
        assert await client.say("NOOP") == "250 OK"
        assert LIMIT < peak() < LIMIT * 3 // 2


async def test_a_bomb_of_a_mail_that_does_not_end_is_cut(peak: Callable[[], int]) -> None:
    """By force, since somebody who goes on sending does not read the reply."""
    async with listening(Inbox(), replace(SETTINGS, mail_bytes=LIMIT)) as (listener, connect):
        client = await connect()
        await client.begin(*ENVELOPE, "DATA")
        assert await send_empty_lines(client, 50 * LIMIT) < 10 * LIMIT, "that includes what the system buffers"
        assert await listener._gate.until_empty(3)
        assert listener._gate._all_held == 0
        assert listener._gate._held == {}
        assert peak() < LIMIT * 3 // 2


@pytest.mark.parametrize("said", ["EHLO a\x1b[31m", "HELO \x07", "EHLO"])
async def test_a_name_that_could_harm_a_terminal_is_refused(said: str) -> None:
    async with listening(Inbox()) as (_, connect):
        client = await connect()
        assert (await client.begin(said)).startswith("501")


async def test_what_strangers_say_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        async with listening(Inbox()) as (_, connect):
            client = await connect()
            await client.reply()
            for _ in range(5):
                await client.say("\x1b[31mSECRET")
    assert "SECRET" not in caplog.text


async def test_a_settled_listener_can_be_left_twice() -> None:
    async with Listener(SETTINGS, Inbox()) as listener:
        await listener.stop()
