"""Bytes changed at random, from a seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Final

MAX_BYTES: Final = 64 * 1024
"""Longer inputs find nothing that shorter ones do not; bounds are tested by attacks made for them."""

_NUMBERS: Final = (
    *(b"0", b"-1", b"1", b"255", b"2147483648", b"18446744073709551616", b"9" * 400, b"1e999", b"0x10", b"\xff" * 4),
    *(b"NaN", b"Infinity", b"1_0", "١".encode(), b"\x00" * 8),
)
_TEXTS: Final = (
    *(b"\x00", b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"\t", b" ", b"<", b">", b"&", b'"', b"'", b"]]>", b"<!--", b"-->"),
    *(b"\xef\xbb\xbf", b"\xff\xfe", b"\xc3", b"\xed\xa0\x80", "\u202e".encode(), "．".encode(), b"\x1b[2J", b"%00"),
    *(b"\xf4\x90\x80\x80", b"=?utf-8?b?", b"?=", b"\\", b";", b",", b":", b"=", b".", b"..", b"/", b"{", b"[", b"("),
)


def mutate(chance: Random, data: bytes, others: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    """A few changes to ``data``: pieces of ``others`` and ``words`` get into it. At most ``MAX_BYTES``."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        chance.choice(_CHANGES)(chance, changed, others, words)
    return bytes(changed[:MAX_BYTES])


_Change = Callable[[Random, bytearray, Sequence[bytes], Sequence[bytes]], None]


def _span(chance: Random, data: bytes | bytearray) -> slice:
    """A part, mostly a short one."""
    start = chance.randint(0, len(data))
    return slice(start, start + chance.choice((1, 1, 2, 4, 8, 32, 256, len(data))))


def _flip(chance: Random, data: bytearray, others: Sequence[bytes], words: Sequence[bytes]) -> None:
    if data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _overwrite(chance: Random, data: bytearray, others: Sequence[bytes], words: Sequence[bytes]) -> None:
    if data:
        data[chance.randrange(len(data))] = chance.choice(b"\x00\t\n\r \"'<>&;:=.,0-9aZ\x7f\x80\xff")


def _cut(chance: Random, data: bytearray, others: Sequence[bytes], words: Sequence[bytes]) -> None:
    del data[_span(chance, data)]


def _end(chance: Random, data: bytearray, others: Sequence[bytes], words: Sequence[bytes]) -> None:
    del data[chance.randint(0, len(data)) :]


def _put_word(chance: Random, data: bytearray, others: Sequence[bytes], words: Sequence[bytes]) -> None:
    at = chance.randint(0, len(data))
    word = chance.choice((*words, *words, *_NUMBERS, *_TEXTS))
    data[at : at + chance.choice((0, 0, len(word)))] = word


def _repeat(chance: Random, data: bytearray, others: Sequence[bytes], words: Sequence[bytes]) -> None:
    piece = bytes(data[_span(chance, data)])[:1024]
    at = chance.randint(0, len(data))
    data[at:at] = piece * chance.choice((1, 2, 10, 100))


def _splice(chance: Random, data: bytearray, others: Sequence[bytes], words: Sequence[bytes]) -> None:
    other = chance.choice(others)
    at = chance.randint(0, len(data))
    data[at : at + chance.choice((0, 1, 8, 64))] = other[_span(chance, other)]


def _number(chance: Random, data: bytearray, others: Sequence[bytes], words: Sequence[bytes]) -> None:
    """Another number in the place of one."""
    digits = [at for at, byte in enumerate(data) if 48 <= byte <= 57]
    if digits:
        at = end = chance.choice(digits)
        while end < len(data) and 48 <= data[end] <= 57:
            end += 1
        data[at:end] = chance.choice(_NUMBERS)


def _lines(chance: Random, data: bytearray, others: Sequence[bytes], words: Sequence[bytes]) -> None:
    """Lines moved, doubled or left out."""
    lines = bytes(data).split(b"\n")
    here, there = chance.randrange(len(lines)), chance.randrange(len(lines))
    how = chance.randrange(3)
    if how == 0:
        lines[here], lines[there] = lines[there], lines[here]
    elif how == 1:
        lines.insert(there, lines[here])
    else:
        del lines[here]
    data[:] = b"\n".join(lines)


_CHANGES: Final[tuple[_Change, ...]] = (
    *(_flip, _overwrite, _cut, _end, _put_word, _put_word, _repeat, _splice, _number, _lines),
)
