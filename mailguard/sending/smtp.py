"""Handing messages over to the consultant's mail server. The only module of the house but the demonstration's that can.

A server's words are shown in one line of visible characters. Nothing that is said here ever holds the password: it is
read when it is needed, and an exception that could carry it is not chained.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from mailguard.errors import MailguardError, OperationError, Sentence
from mailguard.render.safe import brief
from mailguard.sending.settings import SmtpSettings, Tls
from mailguard.sources.tls import tls_context

if TYPE_CHECKING:
    from aiosmtplib import SMTP, SMTPResponse


class Fate(StrEnum):
    """What became of a message that was to be handed over."""

    TAKEN = "taken"  # 2xx to the final dot
    LATER = "later"  # 4xx: not taken, and later it may be
    REFUSED = "refused"  # 5xx: not taken, and never will be
    NO_SUCH_ADDRESS = "no-such-address"  # 5xx to RCPT, with the reason that there is no such mailbox
    NOT_BEGUN = "not-begun"  # the outbox says that it is not to be sent (any more)
    UNKNOWN = "unknown"  # cut off after DATA was begun: taken or not


@dataclass(frozen=True, slots=True)
class Handed:
    """The fate of one message, with the server's words."""

    fate: Fate
    answer: str


class ServerRefuses(OperationError):
    """The server cannot be used, or does not want mail of this sender: no other message would fare better."""


class Channel:
    """A connection to the server, made when it is first needed and anew after it broke.

    ``async with Channel(settings) as channel: await channel.hand_over(...)``
    """

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._client: SMTP | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def connect(self) -> None:
        """Connect, encrypt and log in, unless that is done. Raises ServerRefuses, and UsageError for a secret."""
        if self._client is None or not self._client.is_connected:
            self._client = await self._connected()

    async def close(self) -> None:
        """Say goodbye if the server still listens, and hang up."""
        from aiosmtplib import SMTPException

        client, self._client = self._client, None
        if client is not None and client.is_connected:
            try:
                await client.quit(timeout=self._settings.timeout_s)
            except (SMTPException, OSError, ValueError):
                client.close()

    async def hand_over(
        self, sender: str, recipient: str, raw: bytes, *, envelope_id: str, begin: Callable[[], bool]
    ) -> Handed:
        """Hand one message over.

        Args:
            envelope_id: Comes back in a bounce, where the server can that (RFC 3461).
            begin: Called after the server has taken the recipient and before the first byte of DATA, to note that from
                now on nobody can be sure. False: somebody else has the message; nothing is sent.

        Raises:
            ServerRefuses: the server is out of reach or does not want mail of this sender. Nothing was handed over.
        """
        await self.connect()
        assert self._client is not None
        refused = await self._envelope(self._client, sender, recipient, envelope_id)
        if refused:
            return refused
        if not begin():
            await self._reset(self._client)
            return Handed(Fate.NOT_BEGUN, "")
        return await self._data(self._client, raw)

    async def _envelope(self, client: SMTP, sender: str, recipient: str, envelope_id: str) -> Handed | None:
        from aiosmtplib import SMTPException, SMTPResponseException

        # RFC 3461 4: the server's own word of what came back, with headers only, and nothing when all is well.
        dsn = client.supports_extension("dsn")
        try:
            await client.mail(sender, options=["RET=HDRS", f"ENVID={envelope_id}"] if dsn else [])
        except SMTPResponseException as error:
            await self._reset(client)
            raise self._unusable(Sentence("does not take mail from {sender}", sender=sender), error) from None
        except (SMTPException, OSError, ValueError) as error:
            raise self._unusable(Sentence("broke off the conversation"), error) from None
        try:
            await client.rcpt(recipient, options=["NOTIFY=FAILURE", f"ORCPT=rfc822;{recipient}"] if dsn else [])
        except SMTPResponseException as error:
            await self._reset(client)
            return Handed(_fate_of(error.code, error.message), _words(error))
        except (SMTPException, OSError, ValueError) as error:
            raise self._unusable(Sentence("broke off the conversation"), error) from None
        return None

    async def _data(self, client: SMTP, raw: bytes) -> Handed:
        from aiosmtplib import SMTPException, SMTPResponseException

        try:
            response = await client.data(raw, timeout=self._settings.data_timeout_s)
        except SMTPResponseException as error:
            if error.code == 421:  # RFC 5321 3.8: it hangs up, and has not taken it
                client.close()
            fates = {2: Fate.TAKEN, 4: Fate.LATER, 5: Fate.REFUSED}
            return Handed(fates.get(error.code // 100, Fate.UNKNOWN), _words(error))
        except (SMTPException, OSError, ValueError) as error:
            client.close()
            return Handed(Fate.UNKNOWN, _words(error))
        return Handed(Fate.TAKEN, _line(response))

    async def _reset(self, client: SMTP) -> None:
        from aiosmtplib import SMTPException

        try:
            await client.rset()
        except (SMTPException, OSError, ValueError):
            client.close()

    async def _connected(self) -> SMTP:
        from aiosmtplib import SMTP, SMTPException

        settings = self._settings
        password = settings.password.read() if settings.password else ""  # before there is a connection
        client = SMTP(
            hostname=settings.host.strip("[]"),
            port=settings.port,
            timeout=settings.timeout_s,
            use_tls=settings.tls is Tls.TLS,
            start_tls=settings.tls is Tls.STARTTLS,
            tls_context=None if settings.tls is Tls.NONE else tls_context(settings.ca_file),
            local_hostname=settings.hello or None,
        )
        try:
            await client.connect()
            await client.ehlo()  # what it can do, as it says inside the encryption
        except (SMTPException, OSError, ValueError) as error:
            client.close()
            raise self._unusable(_at_connecting(error), error) from None
        if settings.password:
            await self._log_in(client, password)
        return client

    async def _log_in(self, client: SMTP, password: str) -> None:
        from aiosmtplib import SMTPAuthenticationError, SMTPException

        try:
            await client.login(self._settings.username, password)
        except SMTPAuthenticationError as error:
            client.close()
            # Not "from error", here and below: what it came from may hold the secret.
            raise self._unusable(Sentence("does not take the username and password"), error) from None
        except (SMTPException, OSError, ValueError) as error:
            client.close()
            raise self._unusable(Sentence("could not be logged in to"), error) from None

    def _unusable(self, what: Sentence, error: Exception) -> MailguardError:
        place = f"{self._settings.host}:{self._settings.port}"
        told = "The mail server {server} {what} ({why}); no further mail was handed over."
        return ServerRefuses(told, server=place, what=what, why=_words(error) or type(error).__name__)


def _at_connecting(error: Exception) -> Sentence:
    from aiosmtplib import SMTPConnectTimeoutError, SMTPNotSupported, SMTPTimeoutError

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Sentence("has no certificate that can be trusted")
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, SMTPNotSupported) or "STARTTLS" in str(error):
        return Sentence("offers no encryption (STARTTLS)")
    if isinstance(error, SMTPConnectTimeoutError | SMTPTimeoutError | asyncio.TimeoutError):
        return Sentence("did not answer in time")
    return Sentence("could not be reached")


def _fate_of(code: int, words: str) -> Fate:
    """Of a recipient. Only 5.1.x is about the address (RFC 3463 3.2); any other refusal may be about us."""
    if code < 500:
        return Fate.LATER
    return Fate.NO_SUCH_ADDRESS if words.startswith("5.1.") else Fate.REFUSED


def _words(error: Exception) -> str:
    code, message = getattr(error, "code", None), getattr(error, "message", None) or str(error)
    return brief(" ".join(f"{code or ''} {message}".split()), 200)


def _line(response: SMTPResponse) -> str:
    return brief(" ".join(f"{response.code} {response.message}".split()), 200)
