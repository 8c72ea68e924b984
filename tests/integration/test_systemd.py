"""What the units of systemd take away from ``mailguard serve``, it does not need; and what they give, it takes."""

from __future__ import annotations

import os
import re
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.cli.daemon import SETTINGS, Daemon, send, until
from tests.ingest.test_units import values

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here: apt install systemd"),
]


class Prefixed(Daemon):
    """A daemon that is started by another program."""

    def start_by(self, *before: str, **environment: str) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*before, sys.executable, "-m", "mailguard", "serve", "--config", str(self.config), "--verbose"],
                stderr=log,
                env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environment},
            )

    def work(self) -> None:
        """Receive a mail and store it."""
        until(self._answers)
        with smtplib.SMTP("127.0.0.1", self.port) as client:
            send(client, "one")
        until(lambda: self.ids()["one"] == 1 and not self.waiting())


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Prefixed]:
    made = Prefixed(tmp_path)
    yield made
    if made.process is not None and made.process.poll() is None:
        made.kill()


@cache
def filter_sets() -> dict[str, set[str]]:
    """The sets of system calls that systemd knows, as they are written down: names and other sets."""
    told = subprocess.run(["systemd-analyze", "syscall-filter"], capture_output=True, text=True, check=True).stdout
    sets: dict[str, set[str]] = {}
    for line in told.splitlines():
        if line.startswith("@"):
            sets[name := line.strip()] = set()
        elif line.startswith(" ") and not line.strip().startswith("#") and sets:
            sets[name].add(line.strip())
    return sets


def calls_in(name: str) -> set[str]:
    """Every system call in a set."""
    if not name.startswith("@"):
        return {name}
    return set().union(*(calls_in(inner) for inner in filter_sets()[name]))


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not here: apt install strace")
def test_every_system_call_is_allowed_and_no_memory_is_both_written_and_run(daemon: Prefixed) -> None:
    trace = daemon.folder / "trace"
    daemon.start_by("strace", "-f", "-qq", "-o", str(trace))
    daemon.work()
    assert daemon.process is not None
    (child,) = Path(f"/proc/{daemon.process.pid}/task/{daemon.process.pid}/children").read_text().split()
    os.kill(int(child), signal.SIGTERM)
    assert daemon.process.wait(30) == 0
    text = trace.read_text("utf-8", "replace")
    allow, forbid = values("mailguard.service", "Service", "SystemCallFilter")
    allowed = calls_in(allow) - calls_in(forbid.removeprefix("~"))
    used = set(re.findall(r"^\d+ +(\w+)\(", text, re.MULTILINE))
    assert {"socket", "fsync", "prlimit64"} <= used, "both our own and the reading processes were seen"
    # As root, and only then, SQLite gives its files to whoever has the database.
    assert used - allowed - {"fchown"} == set()
    assert re.findall(r"mmap\([^)]*PROT_WRITE\|PROT_EXEC", text) == []
    assert re.findall(r"mprotect\([^)]*PROT_EXEC", text) == []


def test_no_rights_and_a_file_system_that_is_read_only_but_for_the_state(daemon: Prefixed) -> None:
    """As ProtectSystem, CapabilityBoundingSet and NoNewPrivileges leave it; even /tmp cannot be written to."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount")
    confine = (
        f"mount --bind '{daemon.folder}' '{daemon.folder}' && mount -o remount,bind,ro / && "
        'exec setpriv --bounding-set=-all --inh-caps=-all --no-new-privs -- "$@"'
    )
    daemon.start_by("unshare", "--mount", "--propagation", "private", "sh", "-c", confine, "sh", HOME="/nonexistent")
    daemon.work()
    assert daemon.process is not None
    status = Path(f"/proc/{daemon.process.pid}/status").read_text("ascii")
    assert re.search(r"^CapEff:\s+0+$", status, re.MULTILINE)
    assert daemon.stop() == 0
    assert " error: " not in daemon.log_text()


def test_the_socket_of_systemd_is_taken_and_survives_us(daemon: Prefixed) -> None:
    """systemd opens the port; whoever connects while nobody is there is answered by the next one."""
    daemon.config.write_text(SETTINGS.replace('listen = "127.0.0.1:{port}"', 'listen = "systemd"'))
    activate = ("systemd-socket-activate", "-l", f"127.0.0.1:{daemon.port}")
    daemon.start_by(*activate)
    until(lambda: f"Listening on 127.0.0.1:{daemon.port}" in daemon.log_text())
    with socket.create_connection(("127.0.0.1", daemon.port), 30) as waiting:
        assert waiting.recv(3) == b"220"
    daemon.work()
    assert daemon.stop() == 0
