"""Several XML documents in one stream: reports that were simply put one behind the other."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from mailguard.feedback.limits import CHUNK_BYTES, Damaged

_WORDS: Final = (b"eedback", b"EEDBACK")  # looked for first: a search for a tag costs fifty times as much
_END: Final = re.compile(rb"</(?:[\w.-]{1,64}:)?feedback[ \t\r\n]*>", re.IGNORECASE)
_BEGIN: Final = re.compile(rb"<(?:[\w.-]{1,64}:)?feedback[\s>]", re.IGNORECASE)
_LONGEST_TAG: Final = 100


class Document:
    """The document number ``number`` (from 0) of a stream.

    A document ends at the end tag of its root where another root begins within the next 64 KiB; ``followed`` tells,
    after its chunks, whether there is another. Anything else behind an end tag belongs to the document.
    """

    def __init__(self, open_chunks: Callable[[], Iterable[bytes]], number: int) -> None:
        self._open_chunks = open_chunks
        self._number = number
        self.followed = False

    def chunks(self) -> Iterator[bytes]:
        """The document's bytes, from the beginning on every call. Raises what the stream raises."""
        skip = self._number
        pieces = _UntilDamage(self._open_chunks())
        data = b""
        for piece in pieces:
            data += piece
            while end := _find_end(data):
                data = _read_on(data, end.end(), pieces)
                another = _BEGIN.search(data, end.end())
                cut = end.end() if another else len(data)
                if not skip:
                    yield data[:cut]
                    if another:
                        self.followed = True
                        return
                skip -= bool(another)
                data = data[cut:]
            # The beginning of a tag may be the beginning of an end tag.
            tag = data.rfind(b"<", max(0, len(data) - _LONGEST_TAG))
            cut = tag if tag >= 0 else len(data)
            if not skip and cut:
                yield data[:cut]
            data = data[cut:]
        if not skip and data:
            yield data
        if pieces.damage:
            raise pieces.damage


def _find_end(data: bytes) -> re.Match[bytes] | None:
    """The first end tag of a root."""
    for word in _WORDS:
        at = data.find(word)
        while at >= 0:
            if end := _END.search(data, max(0, at - _LONGEST_TAG), at + _LONGEST_TAG):
                return end
            at = data.find(word, at + 1)
    return None


class _UntilDamage:
    """Pieces up to where the stream breaks, so that what came before is handed on first."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self.damage: Damaged | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._pieces)
        except Damaged as damage:
            self.damage = damage
            raise StopIteration from damage


def _read_on(data: bytes, at: int, pieces: Iterator[bytes]) -> bytes:
    """The data with so much of what follows that there are 64 KiB after ``at``, or the next root is in it."""
    while len(data) - at < CHUNK_BYTES and not _BEGIN.search(data, at):
        piece = next(pieces, b"")
        if not piece:
            break
        data += piece
    return data
