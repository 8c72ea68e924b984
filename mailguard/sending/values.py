"""What lies in the outbox, as values."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    """Where a message is."""

    PENDING = "pending"  # made, not handed over
    SENDING = "sending"  # being handed over by the run that holds the lock
    SENT = "sent"  # the server said 250: it has taken the message on
    FAILED = "failed"  # the server refused it for good
    BOUNCED = "bounced"  # it was sent and came back
    UNCLEAR = "unclear"  # handing over was cut off: the server has it or not; a person has to say


class Stop(StrEnum):
    """Why an address gets nothing more."""

    OPT_OUT = "opt-out"  # they said no
    BOUNCED = "bounced"  # mail to it came back for good
    REFUSED = "refused"  # our server said that there is no such address


@dataclass(frozen=True, slots=True)
class Draft:
    """A message before it lies in the outbox. ``number`` is that of the guide; ``raw`` has no Date."""

    number: str
    domain: str
    recipient: str
    clinic: str
    subject: str
    message_id: str
    token: str
    fingerprint: str
    raw: bytes
    kind: str = "guide"

    @property
    def key(self) -> bytes:
        """The same for all messages of which only one may ever go out."""
        return key_of(self.recipient, self.number, self.kind)


@dataclass(frozen=True, slots=True)
class Message:
    """A message in the outbox, without its bytes."""

    id: int
    kind: str
    number: str
    domain: str
    recipient: str
    clinic: str
    subject: str
    message_id: str
    token: str
    fingerprint: str
    state: State
    attempts: int
    prepared_at: datetime
    changed_at: datetime
    answer: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a message."""

    at: datetime
    what: str
    detail: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """An address that gets nothing more."""

    address: str
    reason: Stop
    at: datetime
    detail: str


def key_of(recipient: str, number: str, kind: str = "guide") -> bytes:
    """The idempotency key: one recipient gets one guide of one kind once. Case does not make another recipient."""
    return hashlib.sha256("\0".join((recipient.lower(), number, kind)).encode()).digest()
