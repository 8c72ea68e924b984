"""Telling systemd how we are (sd_notify(3)), where it wants to know."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Mapping

log = logging.getLogger(__name__)


def notify(state: str) -> None:
    """Send a state such as ``READY=1``; nothing happens where nobody listens."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        try:
            channel.sendto(state.encode(), address.replace("@", "\0", 1) if address[0] == "@" else address)
        except OSError as error:
            log.warning("systemd could not be told %s: %s", state, error)


def watchdog_s(environ: Mapping[str, str] = os.environ) -> float | None:
    """How often systemd wants to hear that we live (sd_watchdog_enabled(3)), in seconds; None where it does not."""
    wanted = environ.get("WATCHDOG_USEC", "")
    if not wanted.isdecimal() or environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(wanted) / 1_000_000 or None


async def keep_telling(seconds: float) -> None:
    """Say twice in this time, for ever, that the event loop goes round; mail is accepted as long as it does."""
    while True:
        notify("WATCHDOG=1")
        await asyncio.sleep(seconds / 2)
