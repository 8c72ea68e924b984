"""The PROXY protocol: whose word is taken, and that nobody else's is."""

from __future__ import annotations

import socket
import struct
from dataclasses import replace

import pytest

from mailguard.errors import UsageError
from mailguard.ingest.gate import origin_of
from mailguard.ingest.proxy import Proxies
from tests.ingest.client import ENVELOPE, SETTINGS, Inbox, listening

BEHIND = replace(SETTINGS, proxies=("127.0.0.0/30",))
V1 = b"PROXY TCP4 192.0.2.55 192.0.2.1 40000 25\r\n"
V1_V6 = b"PROXY TCP6 2001:db8::55 2001:db8::1 40000 25\r\n"
V1_UNKNOWN = b"PROXY UNKNOWN\r\n"


def v2(command: int, family: int, body: bytes) -> bytes:
    return b"\r\n\r\n\x00\r\nQUIT\n" + bytes((0x20 | command, family)) + struct.pack(">H", len(body)) + body


V2 = v2(1, 0x11, socket.inet_aton("192.0.2.55") + socket.inet_aton("192.0.2.1") + struct.pack(">HH", 40000, 25))
V2_LOCAL = v2(0, 0x00, b"")


@pytest.mark.parametrize(
    ("header", "peer"),
    [
        (V1, "192.0.2.55"),
        (V1_V6, "2001:db8::55"),
        (V2, "192.0.2.55"),
        (V1_UNKNOWN, "127.0.0.1"),
        (V2_LOCAL, "127.0.0.1"),
    ],
    ids=["v1", "v1, IPv6", "v2", "v1, unknown", "v2, on its own account"],
)
async def test_a_named_proxy_tells_where_the_client_is(header: bytes, peer: str) -> None:
    inbox = Inbox()
    async with listening(inbox, BEHIND) as (_, connect):
        client = await connect()
        client.send(header)
        await client.begin(*ENVELOPE, "DATA")
        assert (await client.say("x\r\n.")).startswith("250")
    assert inbox[0].peer == peer


@pytest.mark.parametrize("header", [V1, V2], ids=["v1", "v2"])
async def test_nobody_else_can_claim_an_address(header: bytes) -> None:
    async with listening(Inbox(), BEHIND) as (_, connect):
        client = await connect("127.0.0.9")
        await client.reply()
        client.send(header + b"NOOP\r\n")
        while (answer := await client.reply()).startswith("500"):
            pass
        assert answer == ("221 Bye" if header is V2 else "250 OK")  # the signature of version 2 holds a QUIT


async def test_a_named_proxy_must_say_something() -> None:
    async with listening(Inbox(), replace(BEHIND, handshake_s=0.05)) as (_, connect):
        for said in (b"", b"EHLO a.example\r\n", b"PROXY TCP4 a b c d\r\n", V2[:20]):
            client = await connect()
            client.send(said)
            assert not (await client.reader.read()).startswith(b"220")


async def test_clients_behind_a_proxy_are_counted_each_for_itself() -> None:
    settings = replace(BEHIND, connections_per_address=1)
    async with listening(Inbox(), settings) as (_, connect):
        replies = []
        for address in (b"192.0.2.55", b"192.0.2.56", b"192.0.2.55"):
            client = await connect()
            client.send(V1.replace(b"192.0.2.55", address))
            replies.append((await client.reply())[:3])
        assert replies == ["220", "220", ""]


def test_proxies_are_addresses_or_networks() -> None:
    proxies = Proxies(("192.0.2.1", "2001:db8::/32"))
    assert [origin_of(host) in proxies for host in ("192.0.2.1", "192.0.2.2", "2001:db8::9", "")] == [
        True,
        False,
        True,
        False,
    ]
    with pytest.raises(UsageError, match="is not a network"):
        Proxies(("everybody",))
