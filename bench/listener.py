"""How many mails a second the listener takes durably: ``python -m bench.listener``.

The floor is the same listener with a deliver that does nothing, run just before each durable run. The best of the
rounds is taken of each, since on a shared machine the others only ever take time away. Clients are in another process
on loopback and use about as much processor time as the listener.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import AbstractContextManager
from dataclasses import dataclass

from bench.report import Target, save, say, table, targets_table
from bench.smtp_server import Server, durable_server, smtp_server

CONNECTIONS = 20
ROUNDS = 3
SLOW_SYNC_MS = 5


@dataclass(frozen=True, slots=True)
class Run:
    """What one load did. Latencies are those from the end of the mail to its ``250``; ``cpu_ms`` is the server's."""

    label: str
    per_s: float
    mb_per_s: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float
    peak_mb: float

    @property
    def row(self) -> tuple[str, ...]:
        """For a table."""
        rates = f"{self.per_s:,.0f}", f"{self.mb_per_s:.0f}"
        return (self.label, *rates, f"{self.p50_ms:.1f}", f"{self.p99_ms:.1f}", f"{self.cpu_ms:.2f}")


def measure(label: str, context: AbstractContextManager[Server], mails: int, size: int, *how: str) -> Run:
    """Load a server with so many mails on each connection."""
    with context as server:
        before = server.figures()
        command = [sys.executable, "-m", "bench.smtp_load", str(server.port), f"--connections={CONNECTIONS}"]
        load = subprocess.run(
            [*command, f"--mails={mails}", f"--size={size}", *how], check=True, capture_output=True, text=True
        )
        after = server.figures()
    figures = json.loads(load.stdout)
    del figures["seconds"]
    cpu_ms = (after["cpu_s"] - before["cpu_s"]) / (mails * CONNECTIONS) * 1e3
    run = Run(label, cpu_ms=cpu_ms, peak_mb=after["peak_mb"], **figures)
    say(f"  {label}: {run.per_s:,.0f} mails/s, p99 {run.p99_ms:.1f} ms, {run.cpu_ms:.2f} ms CPU a mail")
    return run


def run() -> list[Target]:
    """Measure, save and print; returns the promises."""
    say("listener")
    floors, durables, anews, slows, bigs = [], [], [], [], []
    for _ in range(ROUNDS):
        floors.append(measure("20 KB, deliver does nothing", smtp_server("--open"), 150, 20_000))
        durables.append(measure("20 KB, durable", durable_server("--open"), 150, 20_000))
        anews.append(measure("20 KB, durable, a new connection each", durable_server("--open"), 60, 20_000, "--anew"))
        slow = durable_server("--open", f"--sync-ms={SLOW_SYNC_MS}")
        slows.append(measure(f"20 KB, each sync delayed by {SLOW_SYNC_MS} ms", slow, 60, 20_000))
        bigs.append(measure("1 MB, durable", durable_server("--open"), 15, 1_000_000))
    best = [max(runs, key=lambda run: run.per_s) for runs in (floors, durables, anews, slows, bigs)]
    floor, durable, anew, slow_disk, big = best
    targets = [
        Target("durable mails of 20 KB, 20 connections", durable.per_s, 1000, unit="/s"),
        Target("the same on a disk whose sync takes 5 ms longer", slow_disk.per_s, 500, unit="/s"),
        Target("durable mails of 20 KB, a new connection each", anew.per_s, 300, unit="/s"),
        Target("durable : deliver does nothing", durable.per_s / floor.per_s, 0.7, unit="×"),
        Target("durable mails of 1 MB", big.mb_per_s, 100, unit="MB/s"),
        Target("time from the end of a mail to its 250, p99", durable.p99_ms, 250, upper=True, unit="ms"),
        Target("listener's processor time a mail", durable.cpu_ms, 1.0, upper=True, unit="ms"),
        Target("listener's peak memory, 1 MB mails", big.peak_mb, 300, upper=True, unit="MB"),
    ]
    rows = [run.row for run in best]
    runs = [{"label": run.label, "per_s": run.per_s, "p99_ms": run.p99_ms, "cpu_ms": run.cpu_ms} for run in best]
    save("listener", {"runs": runs, "targets": [target.json for target in targets]})
    print(table(("load", "mails/s", "MB/s", "p50 ms", "p99 ms", "CPU ms/mail"), rows), end="\n\n")
    return targets


if __name__ == "__main__":
    print(targets_table(run()))
