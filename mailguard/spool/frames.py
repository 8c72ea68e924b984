"""Mails as the bytes of a spool file, and back.

::

    file  = "mailguard spool 1" LF, number of frames (4 bytes), CRC-32 of those 4 bytes, frames
    frame = "mail", length of envelope (4), length of raw (8), CRC-32 of envelope (4), CRC-32 of raw (4),
            CRC-32 of the 24 bytes before (4), envelope as JSON, raw

Numbers are unsigned, most significant byte first. The lengths have a checksum of their own, so a damaged mail does not
cost the mails after it. Where the lengths themselves are damaged, reading stops. It does not search for the next frame:
the bytes of a mail are a stranger's, and could hold a frame that tells where it pretends to come from.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from zlib import crc32

from mailguard.feedback.envelope import ReceivedMail, Way
from mailguard.spool.reason import Reason

MAGIC: Final = b"mailguard spool 1\n"
_NUMBER: Final = struct.Struct(">I")
_HEAD: Final = struct.Struct(">4sIQII")
_KIND: Final = b"mail"
_START: Final = len(MAGIC) + 2 * _NUMBER.size
_KNOWN: Final = frozenset({"received_at", "peer", "mail_from", "rcpt_to", "helo", "tls", "way", "origin"})


@dataclass(frozen=True, slots=True)
class Batch:
    """What a spool file holds. ``damage`` has a reason for each place that cannot be read; empty when all is well."""

    mails: tuple[ReceivedMail, ...]
    damage: tuple[Reason, ...] = ()


def encode_file(mails: Sequence[ReceivedMail]) -> list[bytes]:
    """The bytes of a file as pieces to be written one after the other; the mails' own bytes are not copied."""
    pieces = [MAGIC + _checked(_NUMBER.pack(len(mails)))]
    for mail in mails:
        envelope = _encode_envelope(mail)
        head = _HEAD.pack(_KIND, len(envelope), len(mail.raw), crc32(envelope), crc32(mail.raw))
        pieces += (_checked(head) + envelope, mail.raw)
    return pieces


def decode_file(data: bytes) -> Batch:
    """Read a file. Never raises: whatever is damaged or missing is told, and what is whole is read."""
    count = _checked_at(data, len(MAGIC), _NUMBER)
    if not data.startswith(MAGIC) or count is None:
        return Batch((), (Reason("no-spool-file"),))
    mails: list[ReceivedMail] = []
    damage: list[Reason] = []
    for found in _decode_frames(memoryview(data)[_START:], count[0]):
        if isinstance(found, Reason):
            damage.append(found)
        else:
            mails.append(found)
    return Batch(tuple(mails), tuple(damage))


def _decode_frames(data: memoryview, count: int) -> Iterator[ReceivedMail | Reason]:
    at = 0
    for number in range(1, count + 1):
        place = {"number": number, "count": count}
        head = _checked_at(data, at, _HEAD)
        if head is None or head[0] != _KIND:
            yield Reason("mails-cut-off", place)
            return
        _, envelope_size, raw_size, *checksums = head
        middle = at + _HEAD.size + _NUMBER.size + envelope_size
        envelope, raw = data[middle - envelope_size : middle], data[middle : middle + raw_size]
        at = middle + raw_size
        if (len(envelope), len(raw)) != (envelope_size, raw_size):
            yield Reason("mail-cut-off", place)
            return
        yield _decode_mail(envelope, raw, checksums) or Reason("mail-damaged", place)
    if at != len(data):
        yield Reason("something-follows", {"count": count})


def _decode_mail(envelope: memoryview, raw: memoryview, checksums: list[int]) -> ReceivedMail | None:
    if [crc32(envelope), crc32(raw)] != checksums:
        return None
    try:
        fields = json.loads(bytes(envelope))
        known = {name: fields[name] for name in _KNOWN & fields.keys()}  # a later version may say more
        known |= {"rcpt_to": tuple(known["rcpt_to"]), "way": Way(known["way"])}
        return ReceivedMail(raw=bytes(raw), **known)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _encode_envelope(mail: ReceivedMail) -> bytes:
    return json.dumps({name: getattr(mail, name) for name in _KNOWN}, separators=(",", ":")).encode()


def _checked(data: bytes) -> bytes:
    return data + _NUMBER.pack(crc32(data))


def _checked_at(data: bytes | memoryview, at: int, form: struct.Struct) -> tuple[Any, ...] | None:
    """What lies at a place with its checksum after it; None when it is cut off or damaged."""
    end = at + form.size
    if len(data) < end + _NUMBER.size or crc32(data[at:end]) != _NUMBER.unpack_from(data, end)[0]:
        return None
    return form.unpack_from(data, at)
