"""Our listener and its spool in a process of their own, on a port that stays the same when they are started again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mailguard.feedback.envelope import ReceivedMail
from mailguard.spool import Shelf

ROOT = Path(__file__).parents[3]
RECIPIENT = "dmarc@reports.clinic.example.jp"
HOST = "reports.clinic.example.jp"

_SERVE = """
import asyncio, os, signal, sys
from pathlib import Path
from mailguard.ingest.listener import Listener, ListenerSettings
from mailguard.ingest.tls import Certificate
from mailguard.spool import Spool, SpoolSettings

async def main(folder, port, free_bytes, dies_at_250):
    async def deliver(mail):
        await spool.put(mail)
        if dies_at_250:
            os.kill(os.getpid(), signal.SIGKILL)

    settings = ListenerSettings(("dmarc@reports.clinic.example.jp",), port=port, hostname="reports.clinic.example.jp")
    certificate = Certificate(folder / "chain.pem", folder / "key.pem")
    async with Spool(folder / "spool", SpoolSettings(free_bytes=free_bytes)) as spool:
        async with Listener(settings, deliver, has_room=spool.has_room, certificate=certificate):
            print("ready", flush=True)
            await asyncio.to_thread(sys.stdin.read)

asyncio.run(main(Path(sys.argv[1]), *map(int, sys.argv[2:])))
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a receiver has its certificate and its spool, and the port it listens on."""

    folder: Path
    port: int

    def waiting(self) -> int:
        """How many mails lie in the spool."""
        return len(self.mails())

    def mails(self) -> list[ReceivedMail]:
        """The mails in the spool, as a worker would read them. Nothing may be damaged."""
        shelf = Shelf(self.folder / "spool")
        found: list[ReceivedMail] = []
        for path in sorted(shelf.new.glob("*.mails")):
            batch = shelf.read(path)
            assert batch.damage == ()
            found += batch.mails
        return found


class Receiver:
    """The process. ``stop`` ends it as a service manager does, ``kill`` as a power cut does."""

    def __init__(self, place: Place, free_bytes: int, dies_at_250: bool) -> None:
        numbers = map(str, (place.port, free_bytes, int(dies_at_250)))
        command = [sys.executable, "-c", _SERVE, str(place.folder), *numbers]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "ready\n":
            self.kill()
            raise RuntimeError("the receiver did not start; above is why")

    def stop(self) -> None:
        self._process.communicate(timeout=20)
        assert self._process.returncode == 0

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    @property
    def is_over(self) -> bool:
        """Whether it was ended from here."""
        assert self._process.stdout is not None
        return self._process.stdout.closed


@contextmanager
def receiver(place: Place, *, free_bytes: int = 0, dies_at_250: bool = False) -> Iterator[Receiver]:
    """Takes no mail when the file system would have less than ``free_bytes`` left.

    With ``dies_at_250`` it is killed when the first mail is on the disk, and its sender not told yet.
    """
    running = Receiver(place, free_bytes, dies_at_250)
    try:
        yield running
    finally:
        if not running.is_over:
            running.kill()
