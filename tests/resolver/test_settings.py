"""Whom to ask: what a user may write, and what the system says."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.errors import UsageError
from mailguard.resolver.settings import NameServer, choose_nameservers, parse_nameserver


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("192.0.2.53", "192.0.2.53", 53),
        (" 192.0.2.53:5353 ", "192.0.2.53", 5353),
        ("2001:DB8::53", "2001:db8::53", 53),
        ("[2001:db8::53]", "2001:db8::53", 53),
        ("[2001:db8::53]:5353", "2001:db8::53", 5353),
        ("fe80::1%eth0", "fe80::1%eth0", 53),
        ("localhost:53", "127.0.0.1", 53),
    ],
)
def test_addresses_are_read(text: str, host: str, port: int) -> None:
    assert parse_nameserver(text) == NameServer(host, port)


@pytest.mark.parametrize(
    "text",
    ["", ":53", "dns.example", "192.0.2", "192.0.2.53:", "192.0.2.53:dns", "192.0.2.53:0", "192.0.2.53:65536",
     "[192.0.2.53]:53", "[2001:db8::53", "2001:db8::53]:53", "https://192.0.2.53", "192.0.2.53 198.51.100.53"],
)  # fmt: skip
def test_anything_else_is_refused_in_one_sentence_that_quotes_it(text: str) -> None:
    with pytest.raises(UsageError) as refusal:
        parse_nameserver(text)
    sentence = str(refusal.value)
    assert repr(text) in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence


@given(st.ip_addresses(), st.integers(1, 65_535))
def test_reading_after_writing_is_identity(address: object, port: int) -> None:
    server = NameServer(str(address), port)
    assert parse_nameserver(str(server)) == server


@given(st.text(max_size=40))
def test_no_text_raises_anything_but_usage_error(text: str) -> None:
    with contextlib.suppress(UsageError):
        parse_nameserver(text)


def test_given_servers_are_asked_in_their_order_and_once() -> None:
    first, second = NameServer("192.0.2.1"), NameServer("192.0.2.2")
    assert choose_nameservers([first, second, first]) == (first, second)


def test_the_systems_servers_are_used_when_none_is_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import dns.resolver

    conf = tmp_path / "resolv.conf"
    conf.write_text("nameserver 192.0.2.53\nnameserver 2001:db8::53\n", encoding="utf-8")
    read = dns.resolver.Resolver.read_resolv_conf
    monkeypatch.setattr(dns.resolver.Resolver, "read_resolv_conf", lambda self, _: read(self, str(conf)))
    assert choose_nameservers(()) == (NameServer("192.0.2.53"), NameServer("2001:db8::53"))
    conf.write_text("search example.jp\n", encoding="utf-8")
    with pytest.raises(UsageError, match="--nameserver"):
        choose_nameservers(())
