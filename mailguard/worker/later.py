"""Mails whose sender could not be checked, kept to be checked again: DNS did not answer, or a signature is dated later
than the mail came, because a clock is wrong.

Their reports are stored already, unverified. A mail lies here as a spool file of its own whose name tells when it is
due and how often it was checked: ``<due>.<checks>.<digest>.mails``. Losing one costs a better grade and no report.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mailguard.feedback.envelope import ReceivedMail
from mailguard.spool.disk import Disk, place
from mailguard.spool.errors import told
from mailguard.spool.frames import decode_file, encode_file

_HOUR_S: Final = 3_600
_DAY_S: Final = 86_400

MAX_AGE_S: Final = 15 * _DAY_S
PAUSES_S: Final = (600, _HOUR_S, 6 * _HOUR_S, _DAY_S, _DAY_S, 2 * _DAY_S, 3 * _DAY_S, 7 * _DAY_S)
"""How long to wait before each further check. It may be our own resolver that is away, over holidays, and nobody there
who notices: two weeks."""

_MAX_MAILS: Final = 2_000
_MAX_BYTES: Final = 256 * 1024 * 1024
_NAME: Final = re.compile(r"(\d{12})\.(\d)\.([0-9a-f]{64})\.mails")


@dataclass(frozen=True, slots=True)
class Due:
    """A mail to be checked again; ``checks`` counts those it has had."""

    file: Path
    mail: ReceivedMail
    checks: int


class Later:
    """The folder ``later/``. Synchronous; every method may raise SpoolError.

    Bounds: 2,000 mails and 256 MiB; what comes on top of that is not kept here, and ``reports reprocess`` can still
    find it in the store.
    """

    def __init__(self, path: Path, *, disk: Disk | None = None, now: Callable[[], float] = time.time) -> None:
        self._path = path
        self._disk = disk or Disk()
        self._now = now

    def put(self, mail: ReceivedMail, checks: int) -> bool:
        """Keep a mail that has had so many checks; whether it will be checked again. Durable on return."""
        if checks > len(PAUSES_S) or mail.received_at + MAX_AGE_S < self._now() or not self._has_room(len(mail.raw)):
            return False
        due = int(self._now()) + PAUSES_S[checks - 1]
        name = f"{due:012d}.{checks}.{mail.digest.hex()}.mails"
        with told("keep a mail to be checked again"):
            self._path.mkdir(mode=0o700, exist_ok=True)
            draft = self._path / f"{name}.draft"
            self._disk.remove(draft)
            place(self._disk, encode_file([mail]), draft, self._path / name)
        return True

    def due(self) -> list[Path]:
        """Mails that are due, the earliest first."""
        now = self._now()
        return [self._path / name for name in self._names() if int(name[:12]) <= now]

    def read(self, file: Path) -> Due | None:
        """A mail that is due; None, and gone, if it cannot be read."""
        match = _NAME.fullmatch(file.name)
        with told("read a mail to be checked again"):
            mails = decode_file(file.read_bytes()).mails
            if match is None or len(mails) != 1:
                self._disk.remove(file)
                return None
        return Due(file, mails[0], int(match[2]))

    def done(self, file: Path) -> None:
        """This mail needs no further check, or has its next one under another name."""
        with told("remove a mail that was checked again"):
            self._disk.remove(file)

    def _names(self) -> list[str]:
        with told("look for mails to be checked again"):
            try:
                return sorted(name for name in os.listdir(self._path) if _NAME.fullmatch(name))
            except FileNotFoundError:
                return []

    def _has_room(self, size: int) -> bool:
        names = self._names()
        if len(names) >= _MAX_MAILS:
            return False
        with told("look for room for a mail to be checked again"):
            held = sum((self._path / name).stat().st_size for name in names)
        return held + size <= _MAX_BYTES
