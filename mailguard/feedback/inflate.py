"""Inflating gzip and zip members in small pieces, so that a small file cannot fill the memory.

Headers are read here and zlib is given the bare stream, because a stream whose checksum is wrong, or that breaks in the
middle, still gives all that came before. Such a stream ends with ``Damaged``.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Final

from mailguard.feedback.limits import CHUNK_BYTES, Damaged, OverLimit

GZIP: Final = b"\x1f\x8b"
_INPUT_BYTES: Final = 16 * 1024
_STEP_BYTES: Final = 16
_EXTRA, _NAME, _COMMENT, _HEADER_CRC = 4, 8, 16, 2


def inflate_gzip(data: bytes, most_members: int) -> Iterator[bytes]:
    """The content of all gzip members of a file, one after the other; what follows the last one is padding.

    Raises Damaged, and OverLimit for ``members``.
    """
    at = 0
    for _ in range(most_members):
        stream = Deflated(data, _after_gzip_header(data, at))
        yield from stream.pieces()
        # RFC 1952 2.3.1: CRC32 and size, each of four bytes.
        trailer = data[stream.end : stream.end + 8]
        if len(trailer) < 8:
            raise Damaged("gzip-cut-short")
        if trailer[:4] != struct.pack("<L", stream.crc):
            raise Damaged("gzip-checksum")
        at = stream.end + 8
        if not data.startswith(GZIP, at):
            return
    raise OverLimit("members")


def _after_gzip_header(data: bytes, at: int) -> int:
    """Where the stream begins (RFC 1952 2.3)."""
    if data[at + 2 : at + 3] != b"\x08" or len(data) < at + 18:
        raise Damaged("gzip")
    flags = data[at + 3]
    at += 10
    if flags & _EXTRA:
        at += 2 + int.from_bytes(data[at : at + 2], "little")
    for text in (_NAME, _COMMENT):
        if flags & text:
            end = data.find(b"\0", at)
            if end < 0:
                raise Damaged("gzip")
            at = end + 1
    return at + 2 if flags & _HEADER_CRC else at


class Deflated:
    """A bare deflate stream (RFC 1951) inside ``data``; ``end`` and ``crc`` are known after its pieces."""

    def __init__(self, data: bytes, begin: int) -> None:
        self._data = data
        self._begin = begin
        self.end = begin
        self.crc = 0

    def pieces(self) -> Iterator[bytes]:
        """The content in pieces of at most 64 KiB. Raises Damaged."""
        inflater, at, given = zlib.decompressobj(-15), self._begin, 0
        try:
            while not inflater.eof:
                if at >= len(self._data):
                    raise Damaged("cut-short")
                # In small pieces: the inflater copies whatever input it could not use yet, each time.
                piece = self._data[at : at + _INPUT_BYTES]
                at += len(piece)
                for out in _inflated(inflater, piece):
                    self.crc = zlib.crc32(out, self.crc)
                    given += len(out)
                    yield out
        except zlib.error:
            yield from self._last_words(given)
        self.end = at - len(inflater.unused_data)

    def _last_words(self, given: int) -> Iterator[bytes]:
        """What zlib had inflated before the damage but did not hand out, in the smallest steps. Ends with Damaged."""
        inflater, at, skip = zlib.decompressobj(-15), self._begin, given
        try:
            while at < len(self._data):
                step = _INPUT_BYTES if skip > 2 * CHUNK_BYTES else _STEP_BYTES
                for out in _inflated(inflater, self._data[at : at + step]):
                    if len(out) > skip:
                        yield out[skip:]
                    skip = max(0, skip - len(out))
                at += step
        except zlib.error:
            pass
        raise Damaged("damaged-archive")


def _inflated(inflater: zlib._Decompress, piece: bytes) -> Iterator[bytes]:
    out = inflater.decompress(piece, CHUNK_BYTES)
    if out:
        yield out
    # After the end of the stream zlib would take what follows for more of it, again and again.
    while inflater.unconsumed_tail and not inflater.eof:
        out = inflater.decompress(inflater.unconsumed_tail, CHUNK_BYTES)
        if out:
            yield out
