"""The arguments of MAIL and RCPT."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.ingest.commands import is_client_name, parse_path


@pytest.mark.parametrize(
    ("argument", "address", "parameters"),
    [
        ("FROM:<a@b.example>", "a@b.example", {}),
        ("from: <a@b.example>", "a@b.example", {}),
        ("FROM:<>", "", {}),
        ("FROM:<a@b.example> size=100 BODY=8BITMIME", "a@b.example", {"SIZE": "100", "BODY": "8BITMIME"}),
        ("FROM:<> SMTPUTF8", "", {"SMTPUTF8": ""}),
        ("FROM:a@b.example", "a@b.example", {}),
        ('FROM:<"a b>"@c.example>', '"a b>"@c.example', {}),
        ("FROM:<a@b.example> ", "a@b.example", {}),
    ],
)
def test_paths(argument: str, address: str, parameters: dict[str, str]) -> None:
    found = parse_path("FROM", argument)
    assert found is not None
    assert (found.address, found.parameters) == (address, parameters)


@pytest.mark.parametrize(
    "argument",
    [
        None,
        "",
        "FROM",
        "FROM:",
        "FROM:<a\x1b[31m@b.example>",
        "FROM:<a\0@b.example>",
        "FROM:<a@b.example> X=\x7f",
        "TO:<a@b.example>",
        "FROM:<a@b.example",
        "FROM:<a b@c.example>",
        "FROM:<a@b>c",
        "FROM:<<>>",
    ],
)
def test_what_is_no_path(argument: str | None) -> None:
    assert parse_path("FROM", argument) is None


@given(st.text(max_size=200))
def test_nothing_raises(text: str) -> None:
    parse_path("FROM", text)
    parse_path("TO", f"TO:{text}")
    is_client_name(text)


@pytest.mark.parametrize("hostile", ['"' * 500, '<"' + '\\"' * 250, "<" + "a" * 500, "<a> " + "x " * 250, "a " * 250])
def test_hostile_text_takes_no_time(hostile: str) -> None:
    began = time.perf_counter()
    for _ in range(100):
        parse_path("FROM", "FROM:" + hostile)
    assert time.perf_counter() - began < 0.5


@pytest.mark.parametrize("name", ["a.example", "[192.0.2.1]", "localhost", "[IPv6:2001:db8::1]"])
def test_names_of_clients(name: str) -> None:
    assert is_client_name(name)


@pytest.mark.parametrize("name", [None, "", "a b", "a\x1b[31m", "あ", "x" * 256])
def test_what_is_no_name_of_a_client(name: str | None) -> None:
    assert not is_client_name(name)
