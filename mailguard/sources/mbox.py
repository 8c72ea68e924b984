"""mbox files, split as a stream: a mail begins at a line ``From `` that follows an empty line.

There are four dialects and no standard. Read here are mboxo and mboxrd, where a body's own ``From `` is quoted with
``>``; one ``>`` is taken away again, which for mboxrd restores the mail. A line that merely begins with ``From `` is
taken for a separator only if it also tells a time, as every writer's does; so most bodies that nobody quoted survive.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final

LINE_BYTES: Final = 64 * 1024
"""Lines are read in pieces of this length, so that an endless one costs no memory."""

_SEPARATOR: Final = re.compile(rb"From .*\d\d:\d\d")
_QUOTED: Final = re.compile(rb">+From ")
_EMPTY: Final = (b"\n", b"\r\n")


def split_mbox(first: bytes, rest: BinaryIO, mail_bytes: int) -> Iterator[bytes | None]:
    """The mails of an mbox whose first line (a separator) has been read; ``None`` for one above ``mail_bytes``.

    Holds one mail at a time. Raises what reading raises.
    """
    mail = _Mail(mail_bytes)
    at_start, after_empty = first.endswith(b"\n"), False
    while piece := rest.readline(LINE_BYTES):
        if at_start and after_empty and _SEPARATOR.match(piece):
            yield mail.whole()
            mail = _Mail(mail_bytes)
            after_empty = False
        else:
            mail.add(piece[1:] if at_start and _QUOTED.match(piece) else piece)
            after_empty = at_start and piece in _EMPTY
        at_start = piece.endswith(b"\n")
    yield mail.whole()


@dataclass(slots=True)
class _Mail:
    limit: int
    pieces: list[bytes] = field(default_factory=list)
    size: int = 0

    def add(self, piece: bytes) -> None:
        self.size += len(piece)
        if self.size <= self.limit:
            self.pieces.append(piece)
        else:
            self.pieces.clear()

    def whole(self) -> bytes | None:
        """The mail without the empty line that parts it from the next."""
        if self.size > self.limit:
            return None
        data = b"".join(self.pieces)
        if data.endswith(b"\r\n\r\n"):
            return data[:-2]
        return data[:-1] if data.endswith(b"\n\n") else data
