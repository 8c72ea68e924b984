"""A mail as it was received: its bytes, and what is known of how it came."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256


class Way(StrEnum):
    """How a mail came to us, which decides what can be known about its sender."""

    SMTP = "smtp"  # our own listener saw the dialogue: client address, HELO and MAIL FROM are facts
    MAILBOX = "mailbox"  # fetched; only what the mail itself says, and what the mail server wrote on top of it
    FILE = "file"  # given to us; nothing is known of its way


@dataclass(frozen=True, slots=True)
class ReceivedMail:
    """One mail. Nothing in it is trusted: anybody can send anything to a report address.

    ``received_at`` is POSIX seconds; ``origin`` says where it lay (a file, a folder and UID), for people. Known only of
    ``Way.SMTP``: ``peer`` the client's address, ``helo`` its name for itself, ``mail_from`` the envelope sender (empty
    for the null path), ``rcpt_to`` those of our report addresses that it was sent to, ``tls`` the protocol version or
    empty.
    """

    raw: bytes
    received_at: int
    peer: str = ""
    mail_from: str = ""
    rcpt_to: tuple[str, ...] = ()
    helo: str = ""
    tls: str = ""
    way: Way = Way.SMTP
    origin: str = ""

    @property
    def digest(self) -> bytes:
        """SHA-256 of the mail's bytes: a sender that did not hear our answer sends the same bytes again."""
        return sha256(self.raw).digest()
