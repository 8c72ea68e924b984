"""``mailguard serve`` as a process of its own, and senders that remember what was acknowledged."""

from __future__ import annotations

import os
import signal
import smtplib
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from mailguard.errors import MailguardError
from mailguard.store import open_reader
from tests.worker.mails import mail_bytes

SETTINGS = """
[database]
url = "reports.db"
[spool]
path = "spool"
free_mib = 0
[trust]
domains = ["example.jp"]
check = false
[listener]
listen = "127.0.0.1:{port}"
hostname = "mx.example.jp"
addresses = ["dmarc@example.jp"]
[listener.limits]
connections_per_minute = 100000
"""

START_S = 30.0


class Daemon:
    """Start, stop and kill it as often as wanted; folder, port and database stay."""

    def __init__(self, folder: Path, settings: str = SETTINGS) -> None:
        self.folder = folder
        self.port = _free_port()
        self.config = folder / "mailguard.toml"
        self.config.write_text(settings.format(port=self.port))
        self.process: subprocess.Popen[bytes] | None = None
        self.log = folder / "log"

    def start(self, **environment: str) -> float:
        """Return when mail is accepted; how long it took in seconds."""
        began = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "mailguard", "serve", "--config", str(self.config), "--verbose"],
                stderr=log,
                env={**os.environ, **environment},
            )
        until(self._answers)
        return time.monotonic() - began

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def kill(self) -> None:
        """SIGKILL."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def children(self) -> list[int]:
        """The reading processes."""
        assert self.process is not None
        tasks = Path(f"/proc/{self.process.pid}/task")
        return [int(pid) for task in tasks.iterdir() for pid in (task / "children").read_text().split()]

    def ids(self) -> Counter[str]:
        """How often each report id is in the database."""
        try:
            with open_reader(self.folder / "reports.db") as reader:
                return Counter(row.report_id for row in reader.list_reports(limit=1_000_000))
        except MailguardError:
            return Counter()

    def waiting(self) -> list[Path]:
        """Files in the spool that are not finished."""
        return [path for name in ("new", "work") for path in (self.folder / "spool" / name).iterdir()]

    def log_text(self) -> str:
        """What was logged in all lives."""
        return self.log.read_text("utf-8", "replace")

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log_text()
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                return connection.recv(3) == b"220"
        except OSError:
            return False


class Senders:
    """A few threads that send mails until they are told to stop. ``acknowledged`` are ids that were answered 250."""

    def __init__(self, daemon: Daemon, name: str, threads: int = 3) -> None:
        self._daemon = daemon
        self._over = threading.Event()
        self.acknowledged: list[str] = []
        self.sent: list[str] = []
        self._threads = [threading.Thread(target=self._send, args=(f"{name}-{number}",)) for number in range(threads)]

    def __enter__(self) -> Senders:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _send(self, name: str) -> None:
        number = 0
        while not self._over.is_set():
            try:
                with smtplib.SMTP("127.0.0.1", self._daemon.port, timeout=10) as client:
                    for _ in range(15):
                        if self._over.is_set():
                            return
                        number += 1
                        id = f"{name}-{number}"
                        self.sent.append(id)
                        send(client, id)
                        self.acknowledged.append(id)
            except (OSError, smtplib.SMTPException):
                time.sleep(0.01)


def send(client: smtplib.SMTP, id: str, header: str = "") -> None:
    client.sendmail("noreply@reporter.example", ["dmarc@example.jp"], mail_bytes(id, header=header))


def until(condition: Callable[[], object], seconds: float = START_S) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "what was waited for did not happen"
        time.sleep(0.02)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
