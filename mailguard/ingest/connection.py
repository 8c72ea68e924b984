"""One connection, on aiosmtpd: how a peer is let in, heard, answered and let go.

The library reads commands and keeps the dialogue. What it leaves to others is done here, and bounds are applied here:

* It lets in whoever comes. Here the gate is asked, and the whole session has a deadline.
* Its DATA reader keeps every line as an object and does not stop at the size limit while a line has no end. Here blocks
  go straight from the socket to ``Intake``.
* It forgives any number of errors, and tells a peer the text of our exceptions. Here neither.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from typing import Any, Final, cast

from aiosmtpd.proxy_protocol import ProxyData
from aiosmtpd.smtp import SMTP, Envelope, Session, TLSSetupException

from mailguard.ingest.gate import Origin, origin_of
from mailguard.ingest.intake import Intake
from mailguard.ingest.proxy import client_of
from mailguard.ingest.service import Service

log = logging.getLogger(__name__)

GRACE_S: Final = 1.0
"""How long a peer may take to hear a farewell before the connection is cut."""
LATER: Final = "451 4.3.0 Local trouble, please try again later"
STOPPING: Final = "421 4.3.2 Shutting down, please try again later"

_CROWDED: Final = "421 4.3.2 Too many connections, please try again later"
_COMMAND_BYTES: Final = 8 * 1024
"""Commands that may wait in one session. Who sends more has no interest in our answers."""
_LINE_BYTES: Final = 1000
_ECHO: Final = '500 Error: command "'
"""How the library begins to answer an unknown command."""


class _Hooks:
    """The one hook of the library that is used."""

    def __dir__(self) -> list[str]:
        return ["handle_PROXY"]

    async def handle_PROXY(  # noqa: N802 - the name is aiosmtpd's
        self, server: Connection, session: Session, envelope: Envelope, header: ProxyData
    ) -> bool:
        """A named proxy has told where the client is."""
        return server.take_client(header)


_HOOKS: Final = _Hooks()


class Connection(SMTP):
    """One connection. It ends when the peer leaves, is idle, costs too much or has had its time."""

    def __init__(self, service: Service, loop: asyncio.AbstractEventLoop) -> None:
        settings = service.settings
        super().__init__(
            _HOOKS,
            data_size_limit=settings.mail_bytes,
            hostname=settings.hostname,  # otherwise every connection would ask DNS for our own name
            ident="mailguard",
            timeout=settings.idle_s,
            command_call_limit=settings.commands,
            loop=loop,
        )
        # The library's own is shared by all sessions and grows with every unknown command.
        self.command_size_limits = defaultdict(lambda: _LINE_BYTES)
        self._service = service
        self._settings = settings
        self._gate = service.gate
        self._origin = Origin()
        self._errors = 0
        self._intake: Intake | None = None  # while a mail's data come
        self._busy = False  # from DATA to its last reply
        self._deaf = False  # farewell was said: what comes now is not for us
        self._deadline: asyncio.TimerHandle | None = None

    def is_busy(self) -> bool:
        """Whether a mail is being received or kept."""
        return self._busy

    def make_room(self) -> None:
        """End at once, so that somebody else can come in."""
        self._leave(_CROWDED)

    def say_goodbye(self) -> None:
        """End, because we stop."""
        self._leave(STOPPING)

    def take_client(self, header: ProxyData) -> bool:
        """Believe a proxy, which was named, about where the client is; false when too many come from there."""
        self._origin = client_of(header, self._origin)
        return self._gate.name(self, self._origin)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A peer has connected, or is connected anew inside TLS."""
        if self._deadline is None:
            self._come_in(cast(asyncio.Transport, transport))
        else:  # TLS has begun
            super().connection_made(transport)

    def _come_in(self, transport: asyncio.Transport) -> None:
        peer = transport.get_extra_info("peername") or ("",)
        self._origin = origin_of(str(peer[0]))
        is_proxy = self._origin in self._service.proxies
        if self._service.closing or not self._gate.enter(self, None if is_proxy else self._origin):
            self._deaf = True
            transport.write(_CROWDED.encode() + b"\r\n")
            transport.close()
            return
        self._proxy_timeout = self._settings.handshake_s if is_proxy else None
        self._deadline = self.loop.call_later(self._settings.session_s, transport.abort)
        super().connection_made(transport)
        assert self._handler_coroutine is not None
        self._handler_coroutine.add_done_callback(_look_at_end)

    def connection_lost(self, error: Exception | None) -> None:
        """The peer has gone; its place is free."""
        if self._deadline is None or self._deadline.cancelled():
            return  # never let in, or gone already
        self._deadline.cancel()
        self._gate.leave(self)
        super().connection_lost(error)

    def data_received(self, data: bytes) -> None:
        """Bytes of a mail, or commands; at most ``_COMMAND_BYTES`` of these wait."""
        if self._deaf:
            return
        if self._intake is not None:
            self._feed(self._intake, data)
        elif len(data) + len(self._reader._buffer) > _COMMAND_BYTES:  # type: ignore[attr-defined]
            self._leave("500 5.5.2 Too many commands at once")
        else:
            self._gate.heard(self)
            super().data_received(data)

    def _feed(self, intake: Intake, data: bytes) -> None:
        intake.feed(data)
        if intake.is_whole:
            self._intake = None
            if self._reader.at_eof():  # half closed: the stream takes nothing more, and holds what was there already
                self._reader._buffer += intake.rest  # type: ignore[attr-defined]
            elif intake.rest:
                self.data_received(intake.rest)  # commands that were sent along

    def eof_received(self) -> bool | None:
        """The peer sends nothing more; true while it is still to be answered."""
        if self.session is None or self._deaf:
            return False
        if self._busy and self._intake is None and self.session.ssl is None:
            self._reader.feed_eof()  # half closed: it has sent its mail and waits for the answer
            return True
        return super().eof_received()

    def _timeout_cb(self) -> None:
        self._leave("421 4.4.2 Idle too long, closing the connection")

    async def push(self, status: str) -> None:  # type: ignore[override]  # the library's takes bytes as well
        """Send a reply. Who is refused too often is let go."""
        if status.startswith(_ECHO):  # of whatever a stranger has sent, control characters and all
            status = "500 5.5.2 Unknown command"
        self._writer.write(status.encode("ascii", "replace") + b"\r\n")
        if status[0] == "5":
            self._errors += 1
            if self._errors > self._settings.errors:
                self._leave("421 4.7.0 Too many errors, closing the connection")
        await self._writer.drain()

    def _leave(self, farewell: str) -> None:
        """Say farewell and close; by force if the peer does not read."""
        transport = cast("asyncio.Transport | None", self.transport)
        if transport is None or self._deaf:
            return
        self._deaf = True
        if not transport.is_closing():
            self._writer.write(farewell.encode() + b"\r\n")
            transport.close()
        lowest = cast(asyncio.Transport, self._original_transport or transport)
        self.loop.call_later(GRACE_S, lowest.abort)

    async def handle_exception(self, error: Exception) -> str:
        """Our own failure in the dialogue: say nothing about it, and that it will pass."""
        if isinstance(error, asyncio.IncompleteReadError):  # a half closed connection has nothing more to say
            assert self.transport is not None
            self.transport.close()
        elif isinstance(error, TLSSetupException):  # the library closes; whoever scans ports causes this all day
            log.info("a TLS handshake with %s failed: %r", self._origin.address, error.__cause__)
        else:
            log.error("a session failed", exc_info=error)
        return LATER


def _look_at_end(dialogue: asyncio.Task[None]) -> None:
    """A peer that resets the connection ends the dialogue with an exception, which is nobody's concern."""
    error: Any = None if dialogue.cancelled() else dialogue.exception()
    if error and not isinstance(error, ConnectionError):
        log.error("a session ended in an unforeseen way", exc_info=error)
