"""A mail around a report that came without one, so that it goes through the same reader as all others."""

from __future__ import annotations

import re
import zlib
from base64 import encodebytes
from typing import BinaryIO, Final
from urllib.parse import quote

_CHUNK_BYTES: Final = 64 * 1024
_PLAIN_BYTES: Final = 1024 * 1024
TEXT: Final = re.compile(rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?[\0\s]*[<{]")
"""How a report that is not packed begins."""
_GZIP: Final = 31  # zlib's window size, plus 16 for the gzip form


def wrap_report(origin: str, first: bytes, rest: BinaryIO, report_bytes: int, mail_bytes: int) -> bytes | None:
    """The smallest mail that holds the report ``first`` + ``rest``, or None where it is too big.

    Text above 1 MiB is packed while it is read, since a report of 100,000 records would be no mail otherwise: at most
    ``report_bytes`` of text, and ``mail_bytes`` of mail. The same report gives the same mail, but for its name. Nothing
    in it vouches for anybody, so the report is graded unverified.
    """
    data = _text(first, rest, report_bytes) if TEXT.match(first) else _whole(first, rest, mail_bytes)
    if data is None:
        return None
    name = quote(origin.rpartition("/")[2], safe=" !#&()+,@[]{}~")[:200]
    head = (
        "MIME-Version: 1.0\r\n"
        f'Content-Type: application/octet-stream; name="{name}"\r\n'
        "Content-Transfer-Encoding: base64\r\n"
        "\r\n"
    )
    mail = head.encode("ascii") + encodebytes(data).replace(b"\n", b"\r\n")
    return mail if len(mail) <= mail_bytes else None


def _whole(first: bytes, rest: BinaryIO, limit: int) -> bytes | None:
    data = first + rest.read(limit + 1 - len(first))
    return data if len(data) <= limit else None


def _text(first: bytes, rest: BinaryIO, limit: int) -> bytes | None:
    plain = _whole(first, rest, limit) if limit <= _PLAIN_BYTES else first + rest.read(_PLAIN_BYTES)
    if plain is None or len(plain) <= _PLAIN_BYTES:
        return plain
    return _packed(plain, rest, limit)


def _packed(first: bytes, rest: BinaryIO, limit: int) -> bytes | None:
    # Quick and light packing: it also keeps the ratio far from what looks like a bomb to the reader.
    packer = zlib.compressobj(1, zlib.DEFLATED, _GZIP)
    out = [packer.compress(first)]
    left = limit - len(first)
    while left >= 0 and (piece := rest.read(_CHUNK_BYTES)):
        left -= len(piece)
        out.append(packer.compress(piece))
    return None if left < 0 else b"".join((*out, packer.flush()))
