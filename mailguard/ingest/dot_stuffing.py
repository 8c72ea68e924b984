"""The end of a mail in SMTP's DATA phase, and its dots (RFC 5321 4.5.2)."""

from __future__ import annotations

_END = b"\r\n.\r\n"


class TooMuchData(Exception):
    """The peer goes on sending long after the bound; there is no use in listening to the end."""


class DataReader:
    """Takes the blocks of one mail's data as they arrive, and finds the end.

    Only CRLF, dot, CRLF ends a mail. Servers that also took bare line feeds let one mail carry another in.

    Bounds: ``limit`` bytes of mail are kept; of a longer one nothing is kept, and after twice the limit ``feed`` raises
    TooMuchData. Until then the peer is heard out, for only then will it read that the mail was too big.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        # The end of the DATA command's own line: a dot on the first line of the mail is one at the start of a line.
        self._data = bytearray(b"\r\n")
        self.seen = 0
        """Bytes of this mail that have come."""
        self.rest = b""

    @property
    def too_big(self) -> bool:
        """Whether the mail is longer than the limit; its content is lost then."""
        return self.seen > self._limit

    def feed(self, block: bytes) -> bool:
        """Take a block; true when the mail ended in it, and what followed is ``rest``."""
        start = max(0, len(self._data) - len(_END) + 1)
        self._data += block
        end = self._data.find(_END, start)
        if end >= 0:
            self.rest = bytes(self._data[end + len(_END) :])
            del self._data[end + 2 :]
        self.seen += len(block) - len(self.rest)
        if self.too_big:
            del self._data[: -len(_END)]
        if end < 0 and self.seen > 2 * self._limit:
            raise TooMuchData
        return end >= 0

    def drop(self) -> None:
        """Hold nothing any longer."""
        self._data = bytearray()

    def take(self) -> bytes:
        """The mail as it was before its dots were stuffed. It is held no longer, and cannot be taken twice."""
        data, self._data = self._data, bytearray()
        if b"\r\n." in data:
            data = data.replace(b"\r\n.", b"\r\n")
        return bytes(memoryview(data)[2:])
