"""Unpacking gzip and zip members in small pieces, so that a small file cannot fill the memory.

Headers are read here and zlib is given the bare stream, because a stream whose checksum is wrong, or that breaks in the
middle, still gives all that came before. Such a stream ends with ``Damaged``.
"""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from collections.abc import Iterator
from typing import Any, Final, Protocol

from mailguard.feedback.limits import CHUNK_BYTES, MIB, Damaged, OverLimit

GZIP: Final = b"\x1f\x8b"
_INPUT_BYTES: Final = 16 * 1024
_STEP_BYTES: Final = 16
_EXTRA, _NAME, _COMMENT, _HEADER_CRC = 4, 8, 16, 2
_LZMA_HEADER: Final = struct.Struct("<2xHBL")
_LZMA_WINDOW_BYTES: Final = 16 * MIB
"""How far back LZMA may refer, for it is held in memory; files ask for up to 4 GiB and reports need none of it."""


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


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


def expand_bzip2(data: bytes, begin: int, end: int) -> Iterator[bytes]:
    """The content of the bzip2 stream between ``begin`` and ``end``. Raises Damaged; the block that breaks is lost."""
    return _expanded(bz2.BZ2Decompressor(), data, begin, end, ends_itself=True)


def expand_lzma(data: bytes, begin: int, end: int) -> Iterator[bytes]:
    """The same of LZMA as zip has it (APPNOTE 5.8.8): two bytes of version, size and text of the properties, stream.

    Where it refers back by more than 16 MiB, it is damaged for us.
    """
    if len(data) < begin + _LZMA_HEADER.size:
        raise Damaged("cut-short")
    size, literals, window = _LZMA_HEADER.unpack_from(data, begin)
    rest, lc = divmod(literals, 9)
    pb, lp = divmod(rest, 5)
    asked: dict[str, Any] = {"id": lzma.FILTER_LZMA1, "dict_size": min(window, _LZMA_WINDOW_BYTES)}
    try:
        unpacker = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[{**asked, "lc": lc, "lp": lp, "pb": pb}])
    except (lzma.LZMAError, ValueError) as error:
        raise Damaged("damaged-archive") from error
    # Most have no mark at their end; whether all came out, the checksum tells.
    yield from _expanded(unpacker, data, begin + 4 + size, end, ends_itself=False)


def _expanded(unpacker: _Decompressor, data: bytes, begin: int, end: int, *, ends_itself: bool) -> Iterator[bytes]:
    at, last = begin, min(end, len(data))
    try:
        while not unpacker.eof and (at < last or not unpacker.needs_input):
            piece = data[at : min(at + _INPUT_BYTES, last)] if unpacker.needs_input else b""
            at += len(piece)
            out = unpacker.decompress(piece, CHUNK_BYTES)
            if out:
                yield out
    except (OSError, lzma.LZMAError) as error:
        raise Damaged("damaged-archive") from error
    if not unpacker.eof and (ends_itself or end > len(data)):
        raise Damaged("cut-short")
