"""Sockets that systemd hands over."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from mailguard.errors import OperationError
from mailguard.ingest.activation import take_sockets
from tests.ingest.client import Inbox, listening


def handed(count: int, pid: int | None = None) -> dict[str, str]:
    return {"LISTEN_PID": str(pid or os.getpid()), "LISTEN_FDS": str(count), "LISTEN_FDNAMES": "smtp", "HOME": "/"}


async def test_the_listener_answers_on_a_socket_that_was_handed_over() -> None:
    with socket.create_server(("127.0.0.1", 0)) as opened:
        copy = os.dup(opened.fileno())
        os.set_inheritable(copy, True)
        environment = handed(1)
        (taken,) = take_sockets(environment, first=copy)
    assert environment == {"HOME": "/"}
    assert not os.get_inheritable(copy)
    async with listening(Inbox(), sockets=[taken]) as (listener, connect):
        assert listener.port == taken.getsockname()[1]
        assert (await (await connect()).reply()).startswith("220")


@pytest.mark.parametrize(
    "environment", [{}, {"LISTEN_PID": "1", "LISTEN_FDS": "1"}, handed(0), {**handed(0), "LISTEN_FDS": "x"}]
)
def test_without_a_word_from_systemd_there_are_none(environment: dict[str, str]) -> None:
    assert take_sockets(dict(environment)) == []


def test_what_is_no_listening_socket_is_refused(tmp_path: Path) -> None:
    with open(tmp_path / "file", "w") as file, pytest.raises(OperationError, match="is no socket"):
        take_sockets(handed(1), first=file.fileno())
    with socket.socket() as idle, pytest.raises(OperationError, match="no listening socket"):
        take_sockets(handed(1), first=idle.fileno())
