"""A PostgreSQL server that can be taken away and given back while others use it."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from mailguard.store import open_store
from mailguard.store.migrate import downgrade
from tests.integration.dns_servers import free_port
from tests.store.postgres import BINARIES, _runner


class PostgresServer:
    """On loopback and always on the same port; a kill of its processes is what ``stop`` does to its clients."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._run = _runner(folder)
        self.url = f"postgresql://mailguard@127.0.0.1:{self._port}/postgres"
        who = ("-U", "mailguard", "-A", "trust", "-E", "UTF8", "--no-locale")
        self._run(BINARIES[0] / "initdb", "-D", folder / "data", *who)

    def start(self) -> None:
        options = f"-k {self._folder} -p {self._port} -c listen_addresses=127.0.0.1 -c max_connections=30"
        self._control("-l", self._folder / "log", "-w", "-o", options, "start")

    def stop(self) -> None:
        """As when the power fails: no farewell to anybody, and recovery at the next start."""
        self._control("-m", "immediate", "stop")

    def freeze(self) -> None:
        """It answers nobody any more, and no connection ends."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def clear(self) -> None:
        """Leave an empty database for the next test."""
        with open_store(self.url) as store:
            downgrade(store.database)

    def _control(self, *words: object) -> None:
        self._run(BINARIES[0] / "pg_ctl", "-D", self._folder / "data", *words)

    def _signal(self, number: signal.Signals) -> None:
        master = int((self._folder / "data" / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
        for pid in (master, *map(int, children)):
            with suppress(ProcessLookupError):  # one that just ended
                os.kill(pid, number)


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A server that runs, with an empty database. Skips where there is none."""
    if not BINARIES:
        pytest.skip("PostgreSQL is not installed (apt install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="mailguard-pg-", dir="/tmp"))
    try:
        server = PostgresServer(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
