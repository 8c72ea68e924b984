"""The SMTP listener for report mails, on the event loop that is running.

aiosmtpd does the dialogue. What it leaves to others is done here: it keeps every line of a mail as an object and does
not stop at the size limit while a line has no end, so DATA is read in blocks (``dot_stuffing.py``); it accepts any
recipient, any number of connections, and tells a peer the text of our exceptions.

There is no way from here to any sender of mail: nothing is relayed, bounced or answered by mail.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Final, cast

from aiosmtpd.smtp import SMTP, Envelope, Session

from mailguard.feedback.envelope import ReceivedMail
from mailguard.ingest.dot_stuffing import DataReader, TooMuchData
from mailguard.ingest.gate import Gate, OutOfRoom

log = logging.getLogger(__name__)

Deliver = Callable[[ReceivedMail], Awaitable[None]]
"""Keeps a mail. Returns when it is safe on disk; raises when it is not, and the sender will try again."""

_BLOCK_BYTES: Final = 16 * 1024 * 1024
_GRACE_S: Final = 1.0
_LATER: Final = "451 4.3.0 Local trouble, please try again later"
_FAREWELLS: Final[dict[type[Exception], str]] = {
    TimeoutError: "421 4.4.2 Too slow, closing the connection",
    TooMuchData: "552 5.3.4 The mail is too big",
    OutOfRoom: "452 4.3.1 Too much mail at once, please try again later",
}


@dataclass(frozen=True, slots=True)
class ListenerSettings:
    """Where to listen, for whom, and how much a stranger may cost.

    ``port`` 0 lets the system choose. ``addresses`` are the only recipients; compared without regard to case.
    ``hostname`` is what we call ourselves. Bounds: ``mail_bytes`` per mail; ``recipients`` and ``mails`` per session;
    ``connections`` in all and ``connections_per_network`` from one /24 or /64; ``bytes_in_flight`` of mail that is
    being received and delivered at one time; ``idle_s`` between commands and between blocks of data; ``data_s`` for
    one mail's data and ``session_s`` for everything; ``commands`` of one kind in a session.
    """

    addresses: tuple[str, ...]
    host: str = "127.0.0.1"
    port: int = 0
    hostname: str = "localhost"
    mail_bytes: int = 15 * 1024 * 1024
    recipients: int = 10
    mails: int = 20
    connections: int = 100
    connections_per_network: int = 20
    bytes_in_flight: int = 64 * 1024 * 1024
    idle_s: float = 60.0
    data_s: float = 300.0
    session_s: float = 900.0
    commands: int = 50


class Listener:
    """``async with Listener(settings, deliver) as listener: ... listener.port``.

    On leaving, no new connection is accepted, mails being delivered are awaited and every session is closed.
    """

    def __init__(self, settings: ListenerSettings, deliver: Deliver, *, now: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._gate = Gate(settings.connections, settings.connections_per_network, settings.bytes_in_flight)
        self._handler = _Handler(settings, deliver, now)
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """The port that is listened on."""
        assert self._server is not None, "the listener has not been started"
        return int(self._server.sockets[0].getsockname()[1])

    async def __aenter__(self) -> Listener:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._answer, self._settings.host, self._settings.port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        await self._handler.drain()
        await self._gate.close(b"421 4.3.2 Shutting down\r\n", _GRACE_S)
        await self._server.wait_closed()

    def _answer(self) -> asyncio.BaseProtocol:
        return ReportSMTP(self._handler, self._settings, self._gate, asyncio.get_running_loop())


class _Handler:
    """aiosmtpd's hooks: who may be written to, and what becomes of a mail."""

    def __init__(self, settings: ListenerSettings, deliver: Deliver, now: Callable[[], float]) -> None:
        self._settings = settings
        self._addresses = {address.lower(): address for address in settings.addresses}
        self._deliver = deliver
        self._now = now
        self._delivering: set[asyncio.Future[None]] = set()

    async def handle_RCPT(  # noqa: N802 - the name is aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Accept exactly the configured addresses."""
        known = self._addresses.get(address.lower())
        if known is None:
            return "550 5.7.1 No such report address here"
        if len(envelope.rcpt_tos) >= self._settings.recipients:
            return "452 4.5.3 Too many recipients"
        envelope.rcpt_tos.append(known)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Hand the mail over; ``250`` only when it is safe."""
        mail = ReceivedMail(
            raw=envelope.content if isinstance(envelope.content, bytes) else b"",
            received_at=int(self._now()),
            peer=str(session.peer[0]) if session.peer else "",
            mail_from="" if envelope.mail_from in (None, "<>") else str(envelope.mail_from),
            rcpt_to=tuple(dict.fromkeys(envelope.rcpt_tos)),
        )
        # A peer that disconnects cancels this hook. What has begun must not stop half-way: the delivery goes on, and
        # the same bytes sent again are known.
        delivery = asyncio.ensure_future(self._deliver(mail))
        self._delivering.add(delivery)
        delivery.add_done_callback(self._delivered)
        try:
            await asyncio.shield(delivery)
        except Exception:
            return _LATER  # logged by _delivered
        return "250 2.0.0 OK"

    async def handle_VRFY(self, server: SMTP, session: Session, envelope: Envelope, address: str) -> str:  # noqa: N802
        """Tell nobody which addresses there are."""
        return "252 2.5.0 Send some mail, we shall do our best"

    async def handle_exception(self, error: Exception) -> str:
        """Our own failure in the dialogue: say nothing about it, and that it will pass."""
        log.error("a session failed", exc_info=error)
        return _LATER

    async def drain(self) -> None:
        """Wait for the mails that are being delivered."""
        if self._delivering:
            await asyncio.wait(self._delivering)

    def _delivered(self, delivery: asyncio.Future[None]) -> None:
        self._delivering.discard(delivery)
        if not delivery.cancelled() and (error := delivery.exception()):
            log.error("a mail could not be kept; its sender was asked to come back", exc_info=error)


class ReportSMTP(SMTP):
    """One session. It ends when the peer leaves, is idle or has had its time."""

    def __init__(
        self, handler: _Handler, settings: ListenerSettings, gate: Gate, loop: asyncio.AbstractEventLoop
    ) -> None:
        super().__init__(
            handler,
            data_size_limit=settings.mail_bytes,
            hostname=settings.hostname,  # otherwise every connection would ask DNS for our own name
            ident="mailguard",
            timeout=settings.idle_s,
            auth_exclude_mechanism=["LOGIN", "PLAIN"],
            command_call_limit=settings.commands,
            loop=loop,
        )
        # The library's own is shared by all sessions and grows with every unknown command.
        self.command_size_limits = defaultdict(lambda: SMTP.command_size_limit)
        self._settings = settings
        self._gate = gate
        self._mails = 0
        self._held = 0  # bytes of the mail that is being received
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        stream = cast(asyncio.Transport, transport)
        if not self._gate.enter(stream):
            stream.write(b"421 4.3.2 Too many connections, please try again later\r\n")
            stream.close()
            return
        self._deadline = self.loop.call_later(self._settings.session_s, stream.abort)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self._deadline is None:
            return  # never let in
        self._deadline.cancel()
        self._gate.leave(cast(asyncio.Transport, self.transport))
        super().connection_lost(error)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - the name is aiosmtpd's
        """Read a mail in blocks, deliver it, and say what became of it."""
        if await self.check_helo_needed():
            return
        self._mails += 1
        if self._mails > self._settings.mails:
            await self._hang_up("421 4.7.0 Enough mails for one session, please connect again")
            return
        if refusal := self._refuse_data(arg):
            await self.push(refusal)
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        # The library's timer runs from the last command; ours below are closer.
        self._reset_timeout(2 * self._settings.data_s)
        reader = DataReader(self._settings.mail_bytes)
        try:
            async with asyncio.timeout(self._settings.data_s):
                await self._read_data(reader)
            await self._answer_data(reader)
        except (TimeoutError, TooMuchData, OutOfRoom) as error:
            await self._hang_up(_FAREWELLS[type(error)])
        finally:
            self._gate.give_back(self._held)
            self._held = 0

    def _refuse_data(self, arg: str) -> str:
        assert self.envelope is not None
        if not self.envelope.rcpt_tos:
            return "503 5.5.1 Need RCPT command"
        return "501 5.5.4 Syntax: DATA" if arg else ""

    async def _read_data(self, reader: DataReader) -> None:
        ended = False
        while not ended:
            async with asyncio.timeout(self._settings.idle_s):
                # More than a transport ever hands over at once, so the stream is empty afterwards.
                block = await self._reader.read(_BLOCK_BYTES)
            if not block:
                raise ConnectionResetError
            self._gate.take(len(block))
            self._held += len(block)
            ended = reader.feed(block)
        if reader.rest:
            self._reader.feed_data(reader.rest)  # commands that were sent along

    async def _answer_data(self, reader: DataReader) -> None:
        assert self.envelope is not None
        if reader.too_big:
            status = "552 5.3.4 The mail is too big"
        else:
            self.envelope.content = reader.content()
            status = await self._call_handler_hook("DATA")
        self._set_post_data_state()  # type: ignore[no-untyped-call]
        self._reset_timeout()
        await self.push(status)

    async def _hang_up(self, farewell: str) -> None:
        await self.push(farewell)
        if self.transport is not None:
            self.transport.close()
