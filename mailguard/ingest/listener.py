"""The SMTP listener for report mails, on the event loop that is running.

There is no way from here to any sender of mail: nothing is relayed, bounced or answered by mail.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import socket
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Final

from mailguard.ingest.gate import Gate, GateBounds
from mailguard.ingest.proxy import Proxies
from mailguard.ingest.service import Deliver, Service
from mailguard.ingest.session import ReportSMTP
from mailguard.ingest.settings import ListenerSettings
from mailguard.ingest.tls import Certificate

__all__ = ["Deliver", "Listener", "ListenerSettings"]

_BACKLOG: Final = 256
_GRACE_S: Final = 1.0
_OTHER_FILES: Final = 200
"""Files that the rest of the process may have open."""


class Listener:
    """``async with Listener(settings, deliver) as listener: ... listener.port``.

    Args:
        deliver: Keeps a mail; see ``service.Deliver``. ``Spool.put`` is one.
        accepts: Asked about each recipient that is not one of ``settings.addresses``: what it is to be called in
            ``ReceivedMail.rcpt_to``, or None to refuse it. Must not wait for anything.
        has_room: Whether a mail of so many bytes is worth being sent now; ``Spool.has_room`` is one.
        certificate: What to offer STARTTLS with; without it there is none.
        sockets: Listening sockets to use instead of ``settings.host`` and ``port``, as systemd hands them over.

    On leaving, no new connection is accepted; sessions without a mail under way are told ``421``, the others may finish
    their mail within ``settings.drain_s``. It takes about two seconds more at the most.
    """

    def __init__(
        self,
        settings: ListenerSettings,
        deliver: Deliver,
        *,
        accepts: Callable[[str], str | None] | None = None,
        has_room: Callable[[int], bool] | None = None,
        certificate: Certificate | None = None,
        sockets: Sequence[socket.socket] = (),
        now: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._gate = Gate(_gate_bounds(settings))
        self._service = Service(
            settings=settings,
            gate=self._gate,
            deliver=deliver,
            accepts=accepts or _nobody,
            has_room=has_room or _always,
            certificate=certificate,
            proxies=Proxies(settings.proxies),
            now=now,
        )
        self._sockets = sockets
        self._servers: list[asyncio.Server] = []

    @property
    def port(self) -> int:
        """The port that is listened on, the first if there are several."""
        assert self._servers, "the listener has not been started"
        return int(self._servers[0].sockets[0].getsockname()[1])

    async def __aenter__(self) -> Listener:
        # The library writes what strangers say into its log as it is.
        logging.getLogger("mail.log").setLevel(logging.ERROR)
        loop = asyncio.get_running_loop()
        for given in self._sockets:
            self._servers.append(await loop.create_server(self._answer, sock=given, backlog=_BACKLOG))
        if not self._sockets:
            host, port = self._settings.host, self._settings.port
            self._servers.append(await loop.create_server(self._answer, host, port, backlog=_BACKLOG))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Take no more connections, and end those that there are. Leaving the context does it too."""
        for server in self._servers:
            server.close()
        await self._drain()
        for server in self._servers:
            await server.wait_closed()

    async def _drain(self) -> None:
        until = time.monotonic() + self._settings.drain_s
        self._service.closing = True
        for visitor in self._gate.visitors:
            if not visitor.is_busy():
                visitor.say_goodbye()
        if not await self._gate.until_empty(self._settings.drain_s):
            for visitor in self._gate.visitors:
                visitor.say_goodbye()
            await self._gate.until_empty(2 * _GRACE_S)
        if self._service.deliveries:
            await asyncio.wait(self._service.deliveries, timeout=max(_GRACE_S, until - time.monotonic()))

    def _answer(self) -> asyncio.BaseProtocol:
        return ReportSMTP(self._service, asyncio.get_running_loop())


def _gate_bounds(settings: ListenerSettings) -> GateBounds:
    return GateBounds(
        connections=_affordable(settings.connections),
        connections_per_address=settings.connections_per_address,
        connections_per_network=settings.connections_per_network,
        per_minute=settings.connections_per_minute,
        mail_bytes=settings.bytes_in_flight,
        mail_bytes_per_network=settings.bytes_in_flight_per_network,
    )


def _affordable(connections: int) -> int:
    """How many connections the limit of open files allows, which is raised as far as an ordinary user may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        return max(1, min(connections, soft - _OTHER_FILES))
    return connections


def _nobody(address: str) -> None:
    return None


def _always(size: int) -> bool:
    return True
