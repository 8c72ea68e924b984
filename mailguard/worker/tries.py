"""How often a mail could not be read or stored, kept on disk so that it outlasts a crash and a power cut."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from mailguard.spool.disk import Disk, place
from mailguard.spool.errors import told

_MAX_MAILS: Final = 1_000
_MAX_AGE_S: Final = 7 * 86_400


class Tries:
    """Counts failures by the digest of a mail. Bounds: 1,000 mails, the oldest go; each is forgotten after a week.

    Nothing is written for a mail that makes no trouble. Every method is durable on return and may raise SpoolError.
    """

    def __init__(self, path: Path, *, disk: Disk | None = None, now: Callable[[], float] = time.time) -> None:
        self._path = path
        self._disk = disk or Disk()
        self._now = now
        self._counts: dict[str, tuple[int, int]] = self._load()

    @property
    def any(self) -> bool:
        """Whether any mail has failed lately; saves computing digests where none has."""
        return bool(self._counts)

    def count(self, digest: bytes) -> int:
        """How often this mail has failed."""
        return self._counts.get(digest.hex(), (0, 0))[0]

    def note(self, digest: bytes, failures: int) -> None:
        """This mail has failed so often; 0 forgets it."""
        if failures == self.count(digest):
            return
        self._counts.pop(digest.hex(), None)
        if failures:
            self._counts[digest.hex()] = (failures, int(self._now()))
        self._save()

    def _load(self) -> dict[str, tuple[int, int]]:
        try:
            found = json.loads(self._path.read_bytes())
            return {str(digest): (int(count), int(at)) for digest, (count, at) in found.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}  # a count that is lost costs three more tries

    def _save(self) -> None:
        since = self._now() - _MAX_AGE_S
        kept = [(digest, entry) for digest, entry in self._counts.items() if entry[1] >= since]
        self._counts = dict(kept[-_MAX_MAILS:])
        with told("note a failed try"):
            draft = self._path.with_suffix(".draft")
            self._disk.remove(draft)
            place(self._disk, [json.dumps(self._counts).encode()], draft, self._path)
