"""All that the spool does to the file system, in one place, so that tests can watch each step and make it fail."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_PIECES_AT_ONCE: Final = 512  # systems take 1,024


class Disk:
    """Thin: each method is one step, and raises OSError."""

    def create(self, path: Path) -> int:
        """A new file for its owner alone, open for writing."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    def write(self, file: int, pieces: Sequence[bytes]) -> None:
        """Write all pieces, however many calls it takes."""
        for at in range(0, len(pieces), _PIECES_AT_ONCE):
            some = pieces[at : at + _PIECES_AT_ONCE]
            written = os.writev(file, some)
            if written < sum(map(len, some)):
                rest = memoryview(b"".join(some))[written:]
                while rest:
                    rest = rest[os.write(file, rest) :]

    def sync(self, file: int) -> None:
        """Wait until a file is on the disk."""
        os.fsync(file)

    def close(self, file: int) -> None:
        """Close a file."""
        os.close(file)

    def rename(self, source: Path, target: Path) -> None:
        """Move a file within the file system, all at once."""
        os.rename(source, target)

    def sync_folder(self, folder: Path) -> None:
        """Wait until the names in a folder are on the disk.

        The folder is opened anew each time: after something else was mounted there, it is the one that is meant.
        """
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self.sync(opened)
        finally:
            os.close(opened)

    def remove(self, path: Path) -> None:
        """Remove a file, if it is there."""
        path.unlink(missing_ok=True)

    def free_bytes(self, folder: Path) -> int:
        """What an ordinary user may still write to the file system of a folder."""
        status = os.statvfs(folder)
        return status.f_bavail * status.f_frsize


def place(disk: Disk, pieces: Sequence[bytes], draft: Path, target: Path) -> None:
    """Make a file that is either there with all its bytes or not there: durable on return. Raises OSError.

    ``draft`` and ``target`` lie on one file system. When it fails no draft is left; a target may be.
    """
    try:
        file = disk.create(draft)
        try:
            disk.write(file, pieces)
            disk.sync(file)
        finally:
            disk.close(file)
        disk.rename(draft, target)
    except BaseException:
        disk.remove(draft)
        raise
    disk.sync_folder(target.parent)
