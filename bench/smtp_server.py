"""The listener in a process of its own, for benchmarks: ``python -m bench.smtp_server [--spool DIR] [--sync-ms 5]``.

Prints its port, then its figures for each line that it reads, until there are no more. Without ``--spool`` mails go
nowhere: what is left is the same listener with a deliver that does nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import pstats
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

from bench.smtp_load import RECIPIENT
from mailguard.feedback.envelope import ReceivedMail
from mailguard.ingest.listener import Listener, ListenerSettings
from mailguard.spool import Spool
from mailguard.spool.disk import Disk

_ENDLESS = 10**9
OPEN: dict[str, Any] = {
    "mails": _ENDLESS,
    "commands": _ENDLESS,
    "connections_per_address": 2500,
    "connections_per_network": 2500,
    "connections_per_minute": _ENDLESS,
    "bytes_in_flight_per_network": 64 * 1024 * 1024,
}
"""Settings of a listener that one address may load as a whole world would."""


class SlowDisk(Disk):
    """A disk on which each sync takes longer."""

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s

    def sync(self, file: int) -> None:
        """Wait, then sync."""
        time.sleep(self._delay_s)
        super().sync(file)


class Server:
    """A listener in another process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.port = int(self._answer())

    def figures(self) -> dict[str, float]:
        """CPU seconds so far, the highest memory so far in MB, and mails."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        figures: dict[str, float] = json.loads(self._answer())
        return figures

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


@contextmanager
def smtp_server(*arguments: str) -> Iterator[Server]:
    """Run a server with these arguments."""
    command = [sys.executable, "-m", "bench.smtp_server", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Server(process)
        finally:
            process.communicate(timeout=30)


@contextmanager
def durable_server(*arguments: str) -> Iterator[Server]:
    """Run a server with a spool on the disk of this checkout's neighbours, not in memory."""
    with (
        tempfile.TemporaryDirectory(dir=Path(__file__).parent) as folder,
        smtp_server(f"--spool={folder}/spool", *arguments) as server,
    ):
        yield server


async def _serve(options: argparse.Namespace) -> None:
    settings = ListenerSettings((RECIPIENT,), **(OPEN if options.open else {}))
    mails = 0

    async def forget(mail: ReceivedMail) -> None:
        nonlocal mails
        mails += 1

    async with AsyncExitStack() as stack:
        deliver: Any = forget
        if options.spool:
            disk = SlowDisk(options.sync_ms / 1e3) if options.sync_ms else Disk()
            deliver = (await stack.enter_async_context(Spool(options.spool, disk=disk))).put
        listener = await stack.enter_async_context(Listener(settings, deliver))
        print(listener.port, flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            usage = resource.getrusage(resource.RUSAGE_SELF)
            figures = {"cpu_s": usage.ru_utime + usage.ru_stime, "peak_mb": usage.ru_maxrss / 1024, "mails": mails}
            print(json.dumps(figures), flush=True)


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spool", type=Path, help="keep mails durably here")
    parser.add_argument("--sync-ms", type=float, default=0.0, help="make each sync take longer")
    parser.add_argument("--open", action="store_true", help="let one address load the listener")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    if not options.profile:
        asyncio.run(_serve(options))
        return
    profiler = cProfile.Profile()
    profiler.runcall(asyncio.run, _serve(options))
    pstats.Stats(profiler, stream=sys.stderr).sort_stats("tottime").print_stats(45)


if __name__ == "__main__":
    main()
