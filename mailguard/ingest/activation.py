"""Listening sockets that systemd opened for us (sd_listen_fds(3)), so that port 25 needs no root."""

from __future__ import annotations

import os
import socket
from collections.abc import MutableMapping
from typing import Final

from mailguard.errors import OperationError

_FIRST: Final = 3
_VARIABLES: Final = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")


def take_sockets(environment: MutableMapping[str, str] | None = None, *, first: int = _FIRST) -> list[socket.socket]:
    """The sockets that were handed to this process; none when it was started in another way.

    Takes the variables out of the environment, so that no child believes that they are its own. Raises OperationError
    when something was handed over that is not a listening stream socket.
    """
    environment = os.environ if environment is None else environment
    pid, count, _ = (environment.pop(name, "") for name in _VARIABLES)
    if pid != str(os.getpid()) or not count.isdecimal():
        return []
    return [_adopt(file) for file in range(first, first + int(count))]


def _adopt(file: int) -> socket.socket:
    try:
        os.set_inheritable(file, False)
        adopted = socket.socket(fileno=file)
        is_listening = adopted.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise OperationError("File descriptor {file} is no socket: {error}.", file=file, error=error) from error
    if not is_listening:
        adopted.detach()
        raise OperationError("File descriptor {file} is no listening socket.", file=file)
    adopted.setblocking(False)
    return adopted
