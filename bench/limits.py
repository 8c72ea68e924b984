"""What one mail can cost: a report of 100,000 records, and mails that were made to exhaust whoever reads them.

The large report is timed from its file to its last row, on the ways of ``bench/reports.py``, each in a new process. The
peaks are what each process has held at most in its whole life, interpreter and libraries included.

Each attack is read by a reading process of its own, as the daemon starts them, which has read a small mail before. The
attacks are those of ``tests/feedback/test_attacks.py`` and a bomb of 194 KB.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.mails import make_bomb, make_large_mail, make_mails
from bench.report import Target, save, say, table, targets_table
from bench.reports import HOME, LABELS, PEER, Walker, Went
from bench.ways import peak_mb, received
from mailguard.worker.readers import Readers, ReadFailed
from mailguard.worker.wire import ReadingSettings
from tests.feedback.test_attacks import ATTACKS

RECORDS = 100_000
WAYS = ("ours", "ours-worker", "floor", "parsedmarc")
BOMB = "bomb of 194 KB"
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Cost:
    """What one mail took: milliseconds of CPU, and the memory of its reader in MB, before it and at most."""

    label: str
    size: int
    cpu_ms: float
    before_mb: float
    peak_mb: float
    failed: str = ""


def measure_large() -> dict[str, Went]:
    """Each way with the large report."""
    found = {}
    with tempfile.TemporaryDirectory(dir=HOME / "bench") as name:
        folder = Path(name)
        mails = folder / "mails"
        mails.mkdir()
        (mails / "large.eml").write_bytes(make_large_mail(RECORDS))
        for way in WAYS:
            if way == "parsedmarc" and not PEER.exists():
                continue
            walker = Walker(way, folder, "")
            found[way] = walker.go(mails, RECORDS)
            walker.close()
            peaks = " + ".join(f"{peak:.0f}" for peak in found[way].peaks_mb)
            say(f"  {RECORDS:,} records: {LABELS[way]}: {found[way].wall_s:.2f} s, {peaks} MB")
    return found


async def measure_attack(label: str, raw: bytes) -> Cost:
    """The least CPU time of three readings and the most memory."""
    async with Readers(ReadingSettings(), processes=1) as readers:
        for small in make_mails(3, 1):
            await readers.read(received(small))
        (pid,) = readers.pids
        _forget_peak(pid)
        before_mb = peak_mb(pid)
        failed = ""
        spent = []
        for _ in range(ROUNDS):
            began = _cpu_ms(pid)
            try:
                await readers.read(received(raw))
            except ReadFailed as error:
                failed = str(error.reason)
            if pid not in readers.pids:
                raise RuntimeError(f"{label} ended the process: {failed}")
            spent.append(_cpu_ms(pid) - began)
        return Cost(label, len(raw), min(spent), before_mb, peak_mb(pid), failed)


def _forget_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def _cpu_ms(pid: int) -> float:
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e6


def measure_attacks() -> Iterator[Cost]:
    """All of them."""
    yield asyncio.run(measure_attack(BOMB, make_bomb()))
    for label, (make, _) in ATTACKS.items():
        yield asyncio.run(measure_attack(label, make()))


def run() -> list[Target]:
    """Measure, save and print; returns the promises."""
    say("limits")
    large = measure_large()
    costs = list(measure_attacks())
    bomb = costs[0]
    most_mb = max(cost.peak_mb for cost in costs)
    say(f"  {len(costs)} attacks: at most {max(cost.cpu_ms for cost in costs):.0f} ms and {most_mb:.0f} MB")
    targets = [
        Target("100,000 records, one process", large["ours"].wall_s, 5, True, "s"),
        Target("100,000 records, as the daemon does it", large["ours-worker"].wall_s, 5, True, "s"),
        Target("100,000 records, peak memory of one process", large["ours"].peaks_mb[0], 100, True, "MB"),
        Target("100,000 records, peak memory of the daemon", large["ours-worker"].peaks_mb[0], 100, True, "MB"),
        Target("100,000 records, peak memory of a reader", max(large["ours-worker"].peaks_mb[1:]), 100, True, "MB"),
        Target(BOMB, bomb.cpu_ms, 50, True, "ms"),
        Target("memory of a reader in the worst attack", most_mb, 200, True, "MB"),
    ]
    save(
        "limits",
        {
            "large": {way: {"wall_s": went.wall_s, "peaks_mb": went.peaks_mb} for way, went in large.items()},
            "attacks": {cost.label: {"cpu_ms": cost.cpu_ms, "peak_mb": cost.peak_mb} for cost in costs},
            "targets": [target.json for target in targets],
        },
    )
    print(large_table(large), end="\n\n")
    print(attacks_table(costs), end="\n\n")
    return targets


def large_table(large: dict[str, Went]) -> str:
    """The ways of the large report."""
    rows = [
        (LABELS[way], f"{went.wall_s:.2f}", f"{went.cpu_s:.2f}", _in_mb(went.before_mb), _in_mb(went.peaks_mb))
        for way, went in large.items()
    ]
    head = (f"mail of {RECORDS:,} records", "seconds", "CPU seconds", "each process before, MB", "at most, MB")
    return table(head, rows)


def _in_mb(sizes: Sequence[float]) -> str:
    return ", ".join(f"{size:.0f}" for size in sizes)


def attacks_table(costs: Sequence[Cost]) -> str:
    """The bomb, and the attacks that cost the most time or memory."""
    dearest = sorted(costs, key=lambda cost: -cost.cpu_ms)
    hungriest = sorted(costs, key=lambda cost: -cost.peak_mb)
    shown = dict.fromkeys((costs[0], *dearest[:4], *hungriest[:4]))
    rows = [
        (cost.label, *(f"{figure:,.0f}" for figure in (cost.size / 1000, cost.cpu_ms, cost.before_mb, cost.peak_mb)))
        for cost in shown
    ]
    head = (f"the dearest of {len(costs)} attacks", "KB of mail", "CPU ms", "reader before, MB", "at most, MB")
    return table(head, rows)


if __name__ == "__main__":
    print(targets_table(run()))
