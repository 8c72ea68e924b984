"""One SMTP session: the commands that there are, and what becomes of a mail.

aiosmtpd reads commands, keeps the session's state and plumbs TLS. What it leaves to others is done here:

* Its timer restarts with each command and knows one duration. Here every phase has a deadline, and data a minimum pace.
* It accepts any recipient, and any number of them.
* A peer that disconnects cancels the library's coroutine. Here a mail that has come whole is kept all the same: it will
  come again, and the same bytes are known.
* For each connection it looks through some two hundred attributes for its commands. ``__dir__`` shows it the few that
  there are, which is also why there is no AUTH.
"""

from __future__ import annotations

import asyncio
from asyncio import sslproto
from typing import Final

from aiosmtpd.smtp import TLSSetupException

from mailguard.feedback.envelope import ReceivedMail
from mailguard.ingest.commands import is_client_name, parse_path
from mailguard.ingest.connection import GRACE_S, LATER, STOPPING, Connection
from mailguard.ingest.dot_stuffing import TooMuchData
from mailguard.ingest.gate import OutOfRoom
from mailguard.ingest.intake import Intake
from mailguard.ingest.service import Service
from mailguard.ingest.tls import Certificate
from mailguard.spool.errors import SpoolFull

_ALL: Final = 1 << 20  # more than the stream's buffer can hold

_NO_SPACE: Final = "452 4.3.1 No room at the moment, please try again later"
_TOO_BIG: Final = "552 5.3.4 The mail is too big"
_TOO_SLOW: Final = "421 4.4.2 Too slow, closing the connection"
_FAREWELLS: Final[dict[type[Exception], str]] = {
    TimeoutError: _TOO_SLOW,
    TooMuchData: _TOO_BIG,
    OutOfRoom: _NO_SPACE,
}
_BODIES: Final = ("7BIT", "8BITMIME")
_COMMANDS: Final = ("EHLO", "HELO", "STARTTLS", "MAIL", "RCPT", "DATA", "RSET", "NOOP", "VRFY", "EXPN", "HELP", "QUIT")
_SHOWN: Final = tuple(f"smtp_{command}" for command in _COMMANDS)


class ReportSMTP(Connection):
    """One session, in which mail is taken for the report addresses and nobody else."""

    def __init__(self, service: Service, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(service, loop)
        self._mails = 0
        self._declared = 0  # SIZE of the mail under way

    def __dir__(self) -> tuple[str, ...]:
        return _SHOWN

    async def smtp_HELO(self, argument: str | None) -> None:  # noqa: N802 - the names are aiosmtpd's
        """RFC 5321 4.1.1.1."""
        if self._greet(argument, extended=False):
            await self.push(f"250 {self.hostname}")
        else:
            await self.push("501 5.5.4 Syntax: HELO hostname")

    async def smtp_EHLO(self, argument: str | None) -> None:  # noqa: N802
        """RFC 5321 4.1.1.1. There is no AUTH."""
        if not self._greet(argument, extended=True):
            await self.push("501 5.5.4 Syntax: EHLO hostname")
            return
        lines = [self.hostname, f"SIZE {self._settings.mail_bytes}", "8BITMIME", "PIPELINING", "ENHANCEDSTATUSCODES"]
        if self._service.certificate and not self._tls_protocol:
            lines.append("STARTTLS")
        await self.push("".join(f"250-{line}\r\n" for line in lines) + "250 HELP")

    def _greet(self, name: str | None, *, extended: bool) -> bool:
        assert self.session is not None
        if not is_client_name(name):
            return False
        self._set_rset_state()  # type: ignore[no-untyped-call]
        self.session.host_name = name
        self.session.extended_smtp = extended
        return True

    async def smtp_STARTTLS(self, argument: str | None) -> None:  # noqa: N802
        """RFC 3207, with a deadline. What was sent in the clear after this command is thrown away (section 6)."""
        if argument:
            await self.push("501 5.5.4 Syntax: STARTTLS")
        elif self._service.certificate is None or self._tls_protocol:
            await self.push("503 5.5.1 TLS is not available, or active already")
        else:
            await self._shake_hands(self._service.certificate)

    async def _shake_hands(self, certificate: Certificate) -> None:
        context = certificate.context()
        await self.push("220 2.0.0 Ready to start TLS")
        done = self.loop.create_future()
        self._tls_protocol = sslproto.SSLProtocol(
            self.loop,
            self,
            context,
            done,
            server_side=True,
            ssl_handshake_timeout=self._settings.handshake_s,  # type: ignore[arg-type]  # a float will do
            ssl_shutdown_timeout=GRACE_S,
        )
        self._original_transport = self.transport
        assert self._original_transport is not None
        self._original_transport.set_protocol(self._tls_protocol)
        self.transport = self._tls_protocol._app_transport
        self._tls_protocol.connection_made(self._original_transport)
        try:
            await done
        except Exception as error:
            raise TLSSetupException from error  # which the library answers by closing

    async def smtp_MAIL(self, argument: str | None) -> None:  # noqa: N802
        """RFC 5321 4.1.1.2, RFC 1870 (SIZE)."""
        await self.push(self._begin_mail(argument))

    def _begin_mail(self, argument: str | None) -> str:
        assert self.session is not None
        assert self.envelope is not None
        if not self.session.host_name:
            return "503 5.5.1 Say EHLO first"
        if self.envelope.mail_from is not None:
            return "503 5.5.1 One mail at a time"
        given = parse_path("FROM", argument)
        if given is None:
            return "501 5.5.4 Syntax: MAIL FROM:<address>"
        if given.parameters.keys() - {"SIZE", "BODY"}:
            return "555 5.5.4 Unknown parameter"
        size = given.parameters.get("SIZE", "0")
        if not (size.isdecimal() and len(size) <= 20) or given.parameters.get("BODY", "7BIT").upper() not in _BODIES:
            return "501 5.5.4 Wrong parameter"
        if int(size) > self._settings.mail_bytes:
            return _TOO_BIG
        if not self._gate.has_room(self._origin, int(size)) or not self._service.has_room(int(size)):
            return _NO_SPACE
        self.envelope.mail_from = given.address
        self._declared = int(size)
        return "250 2.1.0 OK"

    async def smtp_RCPT(self, argument: str | None) -> None:  # noqa: N802
        """RFC 5321 4.1.1.3: nobody but our own report addresses."""
        await self.push(self._add_recipient(argument))

    def _add_recipient(self, argument: str | None) -> str:
        assert self.envelope is not None
        if self.envelope.mail_from is None:
            return "503 5.5.1 Say MAIL first"
        given = parse_path("TO", argument)
        if given is None:
            return "501 5.5.4 Syntax: RCPT TO:<address>"
        if given.parameters:
            return "555 5.5.4 Unknown parameter"
        recipient = self._service.recipient(given.address)
        if recipient is None:
            return "550 5.7.1 No such report address here"
        if len(self.envelope.rcpt_tos) >= self._settings.recipients:
            return "452 4.5.3 Too many recipients"
        self.envelope.rcpt_tos.append(recipient)
        return "250 2.1.5 OK"

    async def smtp_VRFY(self, argument: str | None) -> None:  # noqa: N802
        """Tell nobody which addresses there are."""
        await self.push("252 2.5.0 Send some mail, we shall do our best")

    async def smtp_EXPN(self, argument: str | None) -> None:  # noqa: N802
        """There are no lists."""
        await self.push("502 5.5.1 There are no lists here")

    async def smtp_HELP(self, argument: str | None) -> None:  # noqa: N802
        """RFC 5321 4.1.1.8."""
        await self.push("214 2.0.0 This server takes report mails, and nothing else")

    async def smtp_DATA(self, argument: str | None) -> None:  # noqa: N802
        """Receive a mail, keep it, and say what became of it."""
        if refusal := self._refuse_data(argument):
            await self.push(refusal)
            return
        self._mails += 1
        if self._mails > self._settings.mails:
            self._leave("421 4.7.0 Enough mails for one session, please connect again")
            return
        self._busy = True
        intake = Intake(self._settings, self._gate, self._origin)
        try:
            await self._take_mail(intake)
        except (TimeoutError, TooMuchData, OutOfRoom) as error:
            self._leave(_FAREWELLS[type(error)])
        finally:
            self._busy = False
            self._intake = None
            intake.close()
            self._gate.heard(self)
        if self._service.closing:
            self._leave(STOPPING)

    def _refuse_data(self, argument: str | None) -> str:
        assert self.envelope is not None
        if not self.envelope.rcpt_tos:
            return "503 5.5.1 Say RCPT first"
        return "501 5.5.4 Syntax: DATA" if argument else ""

    async def _take_mail(self, intake: Intake) -> None:
        status = await self._receive(intake)
        if not status:
            self._reset_timeout(self._settings.deliver_s + self._settings.idle_s)
            status = await self._keep(intake.take())
        self._set_post_data_state()  # type: ignore[no-untyped-call]
        self._reset_timeout()
        await self.push(status)

    async def _receive(self, intake: Intake) -> str:
        """Hear a mail to its end; why it is refused, or nothing. Raises TimeoutError, TooMuchData, OutOfRoom."""
        if not intake.reserve(self._declared):
            return _NO_SPACE
        assert self._timeout_handle is not None
        self._timeout_handle.cancel()  # from here on there are closer ones
        early = await self._reader.read(_ALL) if self._reader._buffer else b""  # type: ignore[attr-defined]
        self._intake = intake
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        if early:
            self.data_received(early)
        if self._reader.at_eof() and not intake.is_whole:  # half closed before this, so the rest will never come
            raise asyncio.IncompleteReadError(b"", None)
        await intake.ended()
        return _TOO_BIG if intake.too_big else ""

    async def _keep(self, raw: bytes) -> str:
        """Deliver a mail; the reply. ``250`` only when it is safe."""
        delivery = self._service.begin_delivery(self._received(raw))
        try:
            async with asyncio.timeout(self._settings.deliver_s):
                await asyncio.shield(delivery)
        except SpoolFull:
            return _NO_SPACE
        except Exception:  # logged where the delivery ends
            return LATER
        self._gate.welcome(self._origin)
        return "250 2.0.0 OK"

    def _received(self, raw: bytes) -> ReceivedMail:
        assert self.session is not None
        assert self.envelope is not None
        return ReceivedMail(
            raw=raw,
            received_at=int(self._service.now()),
            peer=self._origin.address,
            mail_from=self.envelope.mail_from or "",
            rcpt_to=tuple(dict.fromkeys(self.envelope.rcpt_tos)),
            helo=self.session.host_name or "",
            tls=self._tls_version(),
        )

    def _tls_version(self) -> str:
        if self._tls_protocol is None or self.transport is None:
            return ""
        return str(self.transport.get_extra_info("ssl_object").version())
