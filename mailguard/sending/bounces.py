"""Mails that came back: delivery status notifications (RFC 3464), read and put down in the outbox.

Anybody can write to the address to which bounces go. So a notification counts only where it names one of our messages
by the envelope id or the Message-ID; both hold 128 random bits that nobody has seen but the recipient, and the servers
on the way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import Message as Mail
from email.policy import compat32
from enum import StrEnum
from typing import Final

from mailguard.feedback.limits import DEFAULT_LIMITS, Limits, OverLimit
from mailguard.feedback.measure import measure
from mailguard.render.safe import brief
from mailguard.sending.outbox import Outbox
from mailguard.sending.values import Message, State, Stop

_MESSAGE_ID: Final = re.compile(r"^message-id:\s*<([!-;=?-~]{1,300})>", re.IGNORECASE | re.MULTILINE)
_STATUS: Final = re.compile(r"\b([245])\.\d{1,3}\.\d{1,3}\b")
_MOST_PARTS: Final = 50
_MOST_BLOCKS: Final = 100
_MOST_ORIGINAL: Final = 64 * 1024
_STATUS_TYPES: Final = ("message/delivery-status", "message/global-delivery-status")


@dataclass(frozen=True, slots=True)
class Bounce:
    """A notification. ``ids`` are what it may name our message by; ``hard``: failed for good (5.x.x)."""

    ids: tuple[str, ...]
    failed: bool
    hard: bool
    answer: str


class Noted(StrEnum):
    """What became of a mail that may be a bounce."""

    BOUNCED = "bounced"  # the message came back for good, and its address gets nothing more
    SOFT = "soft"  # it is late, or came back for a reason that may pass: noted with the message
    KNOWN = "known"  # noted before
    NOT_OURS = "not-ours"  # a notification that names no message of this outbox
    NO_BOUNCE = "no-bounce"  # some other mail


def is_bounce(raw: bytes) -> bool:
    """Whether a mail may be a notification, by a look at its bytes."""
    head = raw[:_MOST_ORIGINAL].lower()
    return b"delivery-status" in head


def read_bounce(raw: bytes, limits: Limits = DEFAULT_LIMITS) -> Bounce | None:
    """Read a notification; None for any other mail. Never raises. Bounds: ``Limits`` of mails, 50 parts, 100 blocks."""
    try:
        measure(raw, limits)
        parts = tuple(_walk(message_from_bytes(raw, policy=compat32)))
    except (OverLimit, RecursionError, ValueError, LookupError):
        return None
    status = next((part for part in parts if part.get_content_type() in _STATUS_TYPES), None)
    if status is None:
        return None
    blocks = _blocks(status)
    ids = tuple(dict.fromkeys((*_envelope_ids(blocks), *_message_ids(parts))))
    recipients = [block for block in blocks if "action" in block]
    failed = any(block["action"].lower().startswith("failed") for block in recipients)
    hard = failed and any(_class(block) == "5" for block in recipients)
    told = next((f"{block.get('status', '')} {block.get('diagnostic-code', '')}" for block in recipients), "")
    return Bounce(ids, failed, hard, brief(" ".join(told.split()), 200))


def note_bounce(outbox: Outbox, raw: bytes, now: datetime) -> tuple[Noted, Message | None]:
    """Read a mail, and put down what it says. Doing it twice changes nothing."""
    bounce = read_bounce(raw)
    if bounce is None:
        return Noted.NO_BOUNCE, None
    message = next((found for text in bounce.ids if (found := outbox.find_id(text))), None)
    if message is None or message.state in (State.PENDING, State.SENDING):
        # Nothing has come back that has not gone out: somebody tries something, or a test address did not exist.
        return Noted.NOT_OURS, None
    if message.state is State.BOUNCED:
        return Noted.KNOWN, message
    if not bounce.hard:
        return _soft(outbox, message, bounce, now), message
    outbox.conclude(message, State.BOUNCED, now, bounce.answer)
    outbox.stop(message.recipient, Stop.BOUNCED, now, bounce.answer)
    return Noted.BOUNCED, message


def _soft(outbox: Outbox, message: Message, bounce: Bounce, now: datetime) -> Noted:
    if any(event.what == "delayed" and event.detail == bounce.answer for event in outbox.events(message)):
        return Noted.KNOWN
    outbox.note(message, "delayed", now, bounce.answer)
    return Noted.SOFT


def _walk(mail: Mail) -> Iterator[Mail]:
    for number, part in enumerate(mail.walk()):
        if number == _MOST_PARTS:
            return
        yield part


def _blocks(status: Mail) -> list[dict[str, str]]:
    """RFC 3464 2.1: a block for the message, then one for each recipient; the parser makes a part of each."""
    payload = status.get_payload()
    parts = payload[:_MOST_BLOCKS] if isinstance(payload, list) else [status]
    return [
        {name.lower(): str(value)[:1000] for name, value in part.items()} for part in parts if isinstance(part, Mail)
    ]


def _envelope_ids(blocks: list[dict[str, str]]) -> Iterator[str]:
    for block in blocks:
        if found := block.get("original-envelope-id", "").strip():
            yield found


def _message_ids(parts: tuple[Mail, ...]) -> Iterator[str]:
    """Of the returned message: whole (message/rfc822) or its header (text/rfc822-headers)."""
    for part in parts:
        kind = part.get_content_type()
        if kind == "text/rfc822-headers":
            content = part.get_payload(decode=True)
            text = content[:_MOST_ORIGINAL].decode("ascii", "replace") if isinstance(content, bytes) else ""
            yield from _MESSAGE_ID.findall(text)
        elif kind in ("message/rfc822", "message/global") and isinstance(payload := part.get_payload(), list):
            yield from (
                str(one.get("Message-ID", "")).strip("<> \t\r\n") for one in payload[:1] if isinstance(one, Mail)
            )


def _class(block: dict[str, str]) -> str:
    found = _STATUS.search(block.get("status", ""))
    return found[1] if found else ""
