"""Mails for the spool's tests, and a disk that is watched."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from pathlib import Path

from mailguard.feedback.envelope import ReceivedMail
from mailguard.spool.disk import Disk


def mail(text: str = "x") -> ReceivedMail:
    return ReceivedMail(
        raw=f"Subject: {text}\r\n\r\n{text}\r\n".encode(),
        received_at=1790000000,
        peer="192.0.2.1",
        mail_from="dmarc@reporter.example",
        rcpt_to=("dmarc@clinic.example.jp",),
        helo="mx.reporter.example",
        tls="TLSv1.3",
    )


class WatchedDisk(Disk):
    """Writes down each step, and fails at the one that it is told to fail at."""

    def __init__(self, fail_at: str = "", code: int = errno.EIO) -> None:
        self.steps: list[str] = []
        self.fail_at = fail_at
        self.code = code
        self.free = 10**12

    def create(self, path: Path) -> int:
        self._step(f"create {path.parent.name}")
        return super().create(path)

    def write(self, file: int, pieces: Sequence[bytes]) -> None:
        if self.fail_at == "half a write":
            super().write(file, [b"".join(pieces)[:40]])
            raise OSError(self.code, "injected")
        self._step("write")
        super().write(file, pieces)

    def sync(self, file: int) -> None:
        self._step("sync")
        super().sync(file)

    def close(self, file: int) -> None:
        super().close(file)
        self._step("close")

    def rename(self, source: Path, target: Path) -> None:
        self._step(f"rename {source.parent.name} {target.parent.name}")
        super().rename(source, target)

    def sync_folder(self, folder: Path) -> None:
        self._step(f"sync folder {folder.name}")

    def free_bytes(self, folder: Path) -> int:
        return self.free

    def _step(self, step: str) -> None:
        self.steps.append(step)
        if self.fail_at and step.startswith(self.fail_at):
            raise OSError(self.code, "injected")
