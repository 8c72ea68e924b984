"""The spool's folders, and how a file goes from one to the next. Synchronous; for the worker and the commands.

Every method raises SpoolError when the file system refuses. A step that was interrupted may be done again from its
beginning; what was done already stays done.
Several workers may share a shelf: a file is claimed by renaming it, which only one of them can do.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from mailguard.feedback.envelope import ReceivedMail
from mailguard.spool.disk import Disk, place
from mailguard.spool.errors import SpoolError, told
from mailguard.spool.frames import Batch, decode_file, encode_file
from mailguard.spool.reason import Reason, decode_reason

_NAME: Final = re.compile(r"(\d{20}-[0-9a-f]{8})\.(\d{1,6})\.mails")
_QUARANTINE_ID: Final = re.compile(r"[0-9a-f]{24}")


@dataclass(frozen=True, slots=True)
class Waiting:
    """What lies in ``new/`` and ``work/``."""

    files: int
    size: int


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Why something lies in quarantine. ``whole_file``: it is a damaged spool file, else one mail.

    ``at`` is POSIX seconds, ``size`` bytes; ``digest`` is the mail's SHA-256 in hexadecimal digits. ``peer``,
    ``mail_from`` and ``origin`` as in ReceivedMail: written by strangers. ``proved`` is a domain that is proved to have
    sent the mail; empty where none is, or nobody could look.
    """

    id: str
    at: int
    reason: Reason
    size: int
    whole_file: bool = False
    digest: str = ""
    peer: str = ""
    mail_from: str = ""
    origin: str = ""
    proved: str = ""


class Shelf:
    """``new/`` waits, ``work/`` is claimed, ``quarantine/`` could not be read, ``tmp/`` is being written."""

    def __init__(self, path: Path, *, disk: Disk | None = None, now_ns: Callable[[], int] = time.time_ns) -> None:
        self.path = path
        self.new, self.work, self.kept, self.tmp = (path / name for name in ("new", "work", "quarantine", "tmp"))
        self._disk = disk or Disk()
        self._now_ns = now_ns
        self._next: deque[str] = deque()  # names seen in new/, oldest first; some may be gone

    def prepare(self) -> None:
        """Make the folders, readable by their owner alone, where they are missing."""
        with told("make the spool's folders in {path}", path=self.path):
            is_new = not self.path.exists()
            for folder in (self.path, self.new, self.work, self.kept, self.tmp):
                folder.mkdir(mode=0o700, parents=folder == self.path, exist_ok=True)
            self._disk.sync_folder(self.path)
            if is_new:
                self._disk.sync_folder(self.path.parent)

    def recover(self) -> None:
        """Put things right after a crash. Only for who owns the spool, before any worker has begun.

        What lies in ``tmp/`` was never acknowledged and is removed. What had been claimed waits again.
        """
        with told("put the spool in {path} in order", path=self.path):
            for draft in self.tmp.iterdir():
                self._disk.remove(draft)
            for file in self.work.iterdir():
                self._disk.rename(file, self.new / file.name)
            for reason in self.kept.glob("*.reason.json"):
                if not any(path.exists() for path in self._lying(reason.name.partition(".")[0])):
                    self._disk.remove(reason)

    def put(self, mails: Sequence[ReceivedMail]) -> Path:
        """Write mails as one file, durable on return. After an error the file may be there all the same."""
        name = self._new_name()
        with told("write to the spool"):
            place(self._disk, encode_file(mails), self.tmp / name, self.new / name)
        return self.new / name

    def claim(self) -> Path | None:
        """Take the file that waits longest for oneself, or None. Its name counts how often it was claimed."""
        with told("take mails from the spool"):
            for refreshed in (False, True):
                if refreshed:
                    self._next.extend(sorted(name for name in os.listdir(self.new) if _NAME.fullmatch(name)))
                while self._next:
                    name = self._next.popleft()
                    target = self.work / _counted(name)
                    try:
                        self._disk.rename(self.new / name, target)
                    except FileNotFoundError:
                        continue  # another worker was faster
                    return target
        return None

    def tries(self, file: Path) -> int:
        """How often a claimed file has been claimed, this time included; it survives crashes."""
        match = _NAME.fullmatch(file.name)
        return int(match[2]) if match else 0

    def read(self, file: Path) -> Batch:
        """The mails in a claimed file.

        Where ``damage`` is told, finish the mails that could be read and then ``quarantine_file``. A file of ours has
        at most ``SpoolSettings.batch_bytes`` and one mail.
        """
        with told("read from the spool"):
            return decode_file(file.read_bytes())

    def done(self, file: Path) -> None:
        """The mails of a claimed file are stored: forget it."""
        with told("remove a finished file from the spool"):
            self._disk.remove(file)

    def give_back(self, file: Path) -> None:
        """Let a claimed file wait again, for instance because the database is away."""
        with told("give mails back to the spool"):
            try:
                self._disk.rename(file, self.new / file.name)
            except FileNotFoundError:
                return

    def quarantine(self, mail: ReceivedMail, reason: Reason, proved: str = "") -> str:
        """Keep one mail apart with its reason; its id. Durable on return."""
        pieces = encode_file([mail])
        entry = Quarantined(
            id=sha256(b"".join(pieces)).hexdigest()[:24],
            at=self._now_ns() // 10**9,
            reason=reason,
            size=len(mail.raw),
            digest=mail.digest.hex(),
            peer=mail.peer,
            mail_from=mail.mail_from,
            origin=mail.origin,
            proved=proved,
        )
        with told("put a mail into quarantine"):
            if not self._mail_of(entry.id).exists():
                self._place_reason(entry)
                place(self._disk, pieces, self._draft(entry.id), self._mail_of(entry.id))
        return entry.id

    def quarantine_file(self, file: Path, reason: Reason) -> str:
        """Keep a claimed file that is damaged apart, as it is; its id."""
        with told("put a damaged file into quarantine"):
            content = file.read_bytes()
            entry = Quarantined(
                id=sha256(content).hexdigest()[:24],
                at=self._now_ns() // 10**9,
                reason=reason,
                size=len(content),
                whole_file=True,
            )
            self._place_reason(entry)
            self._disk.rename(file, self._file_of(entry.id))
            self._disk.sync_folder(self.kept)
        return entry.id

    def list_quarantine(self) -> Iterator[Quarantined]:
        """Everything in quarantine, oldest first."""
        with told("look into the quarantine"):
            lying = {name.partition(".")[0] for name in os.listdir(self.kept) if not name.endswith(".json")}
            yield from sorted(map(self._load_reason, lying), key=lambda entry: (entry.at, entry.id))

    def load_quarantined(self, id: str) -> Batch:
        """What lies in quarantine under an id."""
        with told("read from the quarantine"):
            return decode_file(self._find(id).read_bytes())

    def retry(self, id: str) -> None:
        """Let what lies in quarantine wait again, as if it had just come. Durable on return."""
        with told("take a mail out of quarantine"):
            self._disk.rename(self._find(id), self.new / self._new_name())
            self._disk.sync_folder(self.new)
            self._disk.sync_folder(self.kept)
            self._disk.remove(self._reason_of(id))

    def discard(self, id: str) -> None:
        """Remove something from quarantine for good."""
        with told("remove from the quarantine"):
            self._disk.remove(self._find(id))
            self._disk.remove(self._reason_of(id))

    def waiting(self) -> Waiting:
        """Count what is not finished. Looks at every file."""
        sizes: list[int] = []
        with told("count what waits in the spool"):
            for folder in (self.new, self.work):
                for entry in os.scandir(folder):
                    try:
                        sizes.append(entry.stat().st_size)
                    except FileNotFoundError:
                        continue  # finished meanwhile
        return Waiting(len(sizes), sum(sizes))

    def _new_name(self) -> str:
        # Sorted by name is sorted by time. The random part keeps names apart when the clock was set back.
        return f"{self._now_ns():020d}-{secrets.token_hex(4)}.0.mails"

    def _place_reason(self, entry: Quarantined) -> None:
        # Before the mail, so that a mail never lies there without its reason.
        content = json.dumps(asdict(entry), indent=1).encode()
        place(self._disk, [content], self._draft(f"{entry.id}.reason"), self._reason_of(entry.id))

    def _load_reason(self, id: str) -> Quarantined:
        try:
            note = json.loads(self._reason_of(id).read_text("utf-8"))
            return Quarantined(**{**note, "reason": decode_reason(note["reason"])})
        except (OSError, ValueError, TypeError, KeyError):
            return Quarantined(id, 0, Reason("note-unreadable"), 0, self._file_of(id).exists())

    def _find(self, id: str) -> Path:
        if _QUARANTINE_ID.fullmatch(id):  # an id comes from a command line, and is no way to other files
            for path in self._lying(id):
                if path.exists():
                    return path
        raise SpoolError("There is nothing in quarantine under {id}.", id=repr(id))

    def _lying(self, id: str) -> tuple[Path, Path]:
        return self._mail_of(id), self._file_of(id)

    def _mail_of(self, id: str) -> Path:
        return self.kept / f"{id}.mails"

    def _file_of(self, id: str) -> Path:
        return self.kept / f"{id}.damaged"

    def _reason_of(self, id: str) -> Path:
        return self.kept / f"{id}.reason.json"

    def _draft(self, stem: str) -> Path:
        return self.tmp / f"{stem}-{secrets.token_hex(4)}"


def _counted(name: str) -> str:
    match = _NAME.fullmatch(name)
    assert match is not None, "only names of ours are claimed"
    return f"{match[1]}.{int(match[2]) + 1}.mails"
