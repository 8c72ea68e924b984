"""Whether memory grows with the number of domains: peak memory at 1,000 and at 10,000, each in its own process.

Like for like, without delay, since memory and not time is the question. Ten times the domains may add no more than what
the bounded caches still take in: an eighth.
"""

from __future__ import annotations

import json
import subprocess
import sys

from bench.dns_server import dns_server
from bench.report import Target, save, say, table, targets_table

SIZES = (1_000, 10_000)
DELAY_MS = 2.0
ALLOWED_GROWTH = 1.125


def measure_peak(port: int, domains: int) -> dict[str, float]:
    """Run a process of ours over so many domains; its figures."""
    command = [sys.executable, "-m", "bench.ours", f"--port={port}", f"--domains={domains}"]
    figures: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    say(f"  {domains:,} domains: {figures['peak_mb']:.0f} MB")
    return figures


def run() -> list[Target]:
    """Measure, save and print; returns the promises."""
    say("memory")
    with dns_server(max(SIZES), DELAY_MS) as port:
        small, large = (measure_peak(port, size) for size in SIZES)
    targets = [
        Target("peak memory, 10,000 : 1,000 domains", large["peak_mb"] / small["peak_mb"], ALLOWED_GROWTH, True, "×")
    ]
    save("memory", {"delay_ms": DELAY_MS, "runs": [small, large], "targets": [target.json for target in targets]})
    rows = [(f"{run['domains']:,}", f"{run['peak_mb']:.0f} MB", f"{run['per_s']:.0f}") for run in (small, large)]
    print(table(("domains", "peak memory", "domains/s"), rows), end="\n\n")
    return targets


if __name__ == "__main__":
    print(targets_table(run()))
