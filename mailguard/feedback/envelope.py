"""A mail as it was received: its bytes, and what the SMTP dialogue said about it."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class ReceivedMail:
    """One accepted mail. Nothing in it is trusted: anybody can send anything to a report address.

    ``received_at`` is POSIX seconds; ``peer`` the sender's address; ``mail_from`` the envelope sender, empty for the
    null path; ``rcpt_to`` those of our report addresses that it was sent to.
    """

    raw: bytes
    received_at: int
    peer: str
    mail_from: str
    rcpt_to: tuple[str, ...]

    @property
    def digest(self) -> bytes:
        """SHA-256 of the mail's bytes: a sender that did not hear our answer sends the same bytes again."""
        return sha256(self.raw).digest()
