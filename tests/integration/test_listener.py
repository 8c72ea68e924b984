"""The listener in a process of its own: the order of its system calls, being killed, and a file system that is full."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from mailguard.spool import Shelf
from tests.integration.disks import mounted_disk, remount
from tests.integration.restarts import tell_starts

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
RECIPIENT = "dmarc@clinic.example.jp"
KILLS = int(os.environ.get("MAILGUARD_KILLS", "20"))

SERVE = """
import asyncio, sys
from pathlib import Path
from mailguard.ingest.listener import Listener, ListenerSettings
from mailguard.spool import Spool, SpoolSettings

async def main(path, free):
    settings = ListenerSettings(("dmarc@clinic.example.jp",), connections_per_minute=10**6)
    async with Spool(path, SpoolSettings(free_bytes=free)) as spool:
        async with Listener(settings, spool.put, has_room=spool.has_room) as listener:
            print(listener.port, flush=True)
            await asyncio.to_thread(sys.stdin.read)

asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
"""


class Daemon:
    """A listener with a spool, as a child."""

    def __init__(self, spool: Path, *before: str, free: int = 0) -> None:
        began = time.monotonic()
        command = [*before, sys.executable, "-c", SERVE, str(spool), str(free)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())
        with socket.create_connection(("127.0.0.1", self.port), 10) as peer:
            assert peer.recv(3) == b"220"
        self.started_in_s = time.monotonic() - began

    def kill(self) -> None:
        self.process.kill()
        if not self.process.stdin.closed:  # type: ignore[union-attr]
            self.process.communicate()

    def stop(self) -> int:
        self.process.communicate(timeout=20)
        return self.process.returncode


@contextmanager
def daemon(spool: Path, *before: str, free: int = 0) -> Iterator[Daemon]:
    running = Daemon(spool, *before, free=free)
    try:
        yield running
    finally:
        running.kill()


def send(port: int, body: str) -> int:
    """Send a mail; what the sender was told. Raises OSError or SMTPException when it was told nothing."""
    with smtplib.SMTP("127.0.0.1", port, local_hostname="a.example", timeout=10) as smtp:
        smtp.ehlo_or_helo_if_needed()
        for code in (smtp.mail("a@b.example")[0], smtp.rcpt(RECIPIENT)[0]):
            if code != 250:
                return code
        return smtp.data(f"Subject: {body}\r\n\r\n{body}\r\n")[0]


def bodies_in(spool: Path) -> list[str]:
    """The mails that a restarted daemon finds."""
    shelf = Shelf(spool)
    shelf.recover()
    found = []
    claimed = list(iter(shelf.claim, None))
    for file in claimed:
        batch = shelf.read(file)
        assert batch.damage == ()
        found += [mail.raw.decode().split("\r\n")[0].removeprefix("Subject: ") for mail in batch.mails]
        shelf.give_back(file)
    return found


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_each_250_follows_the_syncs_that_cover_its_mail(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    calls = "trace=openat,write,writev,fsync,fdatasync,rename,sendto,close"
    with daemon(tmp_path / "spool", "strace", "-f", "-qq", "-y", "-s", "40", "-e", calls, "-o", str(trace)) as running:
        for number in range(10):
            assert send(running.port, f"mail {number}") == 250
        running.stop()
    steps = [step for line in trace.read_text("utf-8", "replace").splitlines() if (step := step_of(line))]
    acknowledged = [at for at, step in enumerate(steps) if step == "250"]
    assert len(acknowledged) == 10
    for at, before in zip(acknowledged, [-1, *acknowledged], strict=False):
        assert steps[before + 1 : at] == ["write", "sync file", "rename", "sync folder"]


_CALLS = {
    r"writev?\(\d+<[^>]*/spool/tmp/": "write",
    r"f(data)?sync\(\d+<[^>]*/spool/tmp/": "sync file",
    r'rename\("[^"]*/spool/tmp/[^"]*", "[^"]*/spool/new/': "rename",
    r"f(data)?sync\(\d+<[^>]*/spool/new>": "sync folder",
    r'sendto\(.*"250 2\.0\.0 OK': "250",
}


def step_of(line: str) -> str:
    """What a line of the trace means; a call is written down when it begins, unless it ends later."""
    return next((step for call, step in _CALLS.items() if re.search(call, line)), "")


def test_being_killed_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """Senders go on while the process is killed again and again; each mail that was acknowledged is there."""
    spool = tmp_path / "spool"
    chance = random.Random(7)
    acknowledged: set[str] = set()
    starts = []
    for round_number in range(KILLS):
        with daemon(spool) as running:
            starts.append(running.started_in_s)
            stop = threading.Event()
            senders = [
                threading.Thread(target=keep_sending, args=(running.port, f"{round_number}-{n}", acknowledged, stop))
                for n in range(4)
            ]
            for sender in senders:
                sender.start()
            time.sleep(chance.uniform(0.02, 0.25))
            running.process.send_signal(signal.SIGKILL)
            stop.set()
            for sender in senders:
                sender.join()
    tell_starts("listener", starts)
    found = bodies_in(spool)
    assert len(acknowledged) > KILLS
    assert acknowledged <= set(found)
    assert len(found) == len(set(found)), "a mail that was sent once is there once"
    assert list((spool / "tmp").iterdir()) == []


def keep_sending(port: int, name: str, acknowledged: set[str], stop: threading.Event) -> None:
    number = 0
    while not stop.is_set():
        number += 1
        with suppress(OSError, smtplib.SMTPException):
            if send(port, f"{name}-{number}") == 250:
                acknowledged.add(f"{name}-{number}")


def test_stopping_under_load_loses_nothing_and_comes_to_an_end(tmp_path: Path) -> None:
    acknowledged: set[str] = set()
    with daemon(tmp_path / "spool") as running:
        stop = threading.Event()
        sender = threading.Thread(target=keep_sending, args=(running.port, "s", acknowledged, stop))
        sender.start()
        time.sleep(0.3)
        began = time.monotonic()
        assert running.stop() == 0
        assert time.monotonic() - began < 10
        stop.set()
        sender.join()
    assert acknowledged
    assert acknowledged <= set(bodies_in(tmp_path / "spool"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with mounted_disk(tmp_path / "small", 1) as folder:
        yield folder


@pytest.mark.parametrize("free", [0, 200_000], ids=["to the last byte", "with a floor"])
def test_a_full_disk_refuses_for_now_and_recovers_by_itself(small_disk: Path, free: int) -> None:
    with daemon(small_disk / "spool", free=free) as running:
        accepted = []
        for number in range(20):
            code = send(running.port, name := f"{number}-" + "x" * 50_000)
            if code == 250:
                accepted.append(name)
            else:
                break
        assert code == 452
        assert 3 <= len(accepted) < 11
        assert send(running.port, "still full" + "x" * 50_000) == 452
        found = bodies_in(small_disk / "spool")
        assert sorted(found) == sorted(accepted)
        for file in (small_disk / "spool" / "new").iterdir():
            file.unlink()
        time.sleep(1.1)
        assert send(running.port, "room again") == 250
        assert running.process.poll() is None
    assert bodies_in(small_disk / "spool") == ["room again"]


def test_a_file_system_that_turns_read_only_refuses_for_now(small_disk: Path) -> None:
    with daemon(small_disk / "spool") as running:
        assert send(running.port, "before") == 250
        remount(small_disk, "ro")
        assert send(running.port, "meanwhile") == 451
        remount(small_disk, "rw")
        assert send(running.port, "after") == 250
    assert bodies_in(small_disk / "spool") == ["before", "after"]


def test_2000_idle_connections_keep_nobody_out(tmp_path: Path) -> None:
    """From as many networks; the bench measures the other attacks."""
    with daemon(tmp_path / "spool") as running:
        idle = []
        try:
            for number in range(2000):
                source = (f"127.{number // 250 + 1}.{number % 250}.1", 0)
                idle.append(socket.create_connection(("127.0.0.1", running.port), 5, source))
            time.sleep(1.1)
            took = []
            for number in range(50):
                began = time.monotonic()
                assert send(running.port, f"good {number}") == 250
                took.append(time.monotonic() - began)
        finally:
            for one in idle:
                one.close()
        assert max(took) < 1.0
        status = Path(f"/proc/{running.process.pid}/status").read_text("ascii")
        peak = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert peak is not None
        assert int(peak[1]) < 300_000
