"""From mails to stored reports, beside parsedmarc and the bare floor: ``python -m bench.reports [RECORDS ...]``.

Every way has the same mails from the same folder, one way after the other, then the next folder: each turn's mails are
new ones of the same kind. The first turn is not counted. Of the others the best of each way is taken, since on a shared
machine the others only ever take time away.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.mails import Signer, make_mails
from bench.report import Target, save, say, table, targets_table
from tests.store import postgres

HOME = Path(__file__).parents[1]
PEER = HOME / ".venv-bench" / "bin" / "python"

MAILS = {1: 1000, 10: 600, 100: 100, 1000: 10}
TURNS = 4
WANTED = {1: 3.5, 10: 5.0, 100: 6.0, 1000: 6.0}
WANTED_WITH_TRUST = 2.0
FLOOR = 1.5

LABELS = {
    "parsedmarc": "parsedmarc, parsing only",
    "parsedmarc-lean": "parsedmarc, parsing only, no look at addresses",
    "parsedmarc-postgresql": "parsedmarc → PostgreSQL",
    "floor": "bare floor → SQLite",
    "ours": "mailguard → SQLite",
    "ours-trust": "mailguard, trust check → SQLite",
    "ours-postgresql": "mailguard → PostgreSQL",
    "parsedmarc-processes": "parsedmarc, 2 processes, parsing only",
    "ours-worker": "mailguard serve: spool → 2 processes → SQLite",
    "ours-worker-busy": "the same, 20 mails in a file of the spool",
}

STORED_HEAD = ("records; parsedmarc → PostgreSQL = 1", "SQLite", "SQLite, trust", "PostgreSQL", "serve", "serve, busy")


@dataclass(frozen=True, slots=True)
class Run:
    """The best turn of one way: seconds for all mails, by the clock and of processors."""

    mails: int
    records: int
    wall_s: float
    cpu_s: float

    @property
    def per_s(self) -> float:
        """Mails a second."""
        return self.mails / self.wall_s


@dataclass(frozen=True, slots=True)
class Went:
    """One turn: seconds, by the clock and of processors, and the peak memory of each process, before it and since."""

    wall_s: float
    cpu_s: float
    before_mb: tuple[float, ...]
    peaks_mb: tuple[float, ...]


class Walker:
    """A process that goes one way, as often as it is told."""

    def __init__(self, way: str, folder: Path, more: str) -> None:
        self._way = way
        python = str(PEER) if way.startswith("parsedmarc") else sys.executable
        command = [python, "-m", "bench.ways", way, str(folder), more]
        self._process = subprocess.Popen(command, cwd=HOME, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def go(self, mails: Path, records: int) -> Went:
        """Do the work for a folder once. Raises RuntimeError when something else than so many records came out."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{mails}\n")
        self._process.stdin.flush()
        figures = json.loads(self._process.stdout.readline())
        if figures["records"] != records:
            raise RuntimeError(f"{self._way}: {figures['records']} records instead of {records}")
        return Went(figures["wall_s"], figures["cpu_s"], tuple(figures["before_mb"]), tuple(figures["peaks_mb"]))

    def close(self) -> None:
        """Let it end."""
        self._process.communicate(timeout=30)


def ways_here(peer: bool, postgresql: bool) -> list[str]:
    """Those that this machine has everything for."""
    return [
        way
        for way in LABELS
        if (peer or not way.startswith("parsedmarc")) and (postgresql or not way.endswith("postgresql"))
    ]


@contextmanager
def walkers(folder: Path, zone: Path) -> Iterator[dict[str, Walker]]:
    """A process for each way."""
    has_postgresql = bool(postgres.BINARIES)
    with ExitStack() as stack:
        url = stack.enter_context(postgres.server()) if has_postgresql else ""
        started = {}
        for way in ways_here(PEER.exists(), has_postgresql):
            more = url if way.endswith("postgresql") else str(zone) if way == "ours-trust" else ""
            started[way] = Walker(way, folder, more)
            stack.callback(started[way].close)
        yield started


def write_mails(folder: Path, count: int, records: int, seed: int, signer: Signer) -> Path:
    """A folder of signed mails."""
    folder.mkdir()
    for number, mail in enumerate(make_mails(count, records, seed)):
        (folder / f"{number:06}.eml").write_bytes(signer.sign(mail))
    return folder


def measure(sizes: Sequence[int]) -> dict[int, dict[str, Run]]:
    """The best turn of each way for each number of records in a mail."""
    found: dict[int, dict[str, Run]] = {}
    with tempfile.TemporaryDirectory(dir=HOME / "bench") as name:
        folder = Path(name)
        signer = Signer()
        (folder / "zone.json").write_text(json.dumps(signer.zone), "utf-8")
        with walkers(folder, folder / "zone.json") as all_walkers:
            for records in sizes:
                found[records] = _measure_one(all_walkers, folder, records, signer)
    return found


def _measure_one(all_walkers: dict[str, Walker], folder: Path, records: int, signer: Signer) -> dict[str, Run]:
    count = MAILS[records]
    best: dict[str, Run] = {}
    for turn in range(TURNS + 1):
        mails = write_mails(folder / "mails", count, records, turn, signer)
        for way, walker in all_walkers.items():
            went = walker.go(mails, count * records)
            run = Run(count, count * records, went.wall_s, went.cpu_s)
            if turn and (way not in best or run.wall_s < best[way].wall_s):
                best[way] = run
        shutil.rmtree(mails)
    for way, run in best.items():
        say(
            f"  {records} records: {LABELS[way]}: {run.per_s:,.0f} mails/s, {1e3 * run.cpu_s / count:.2f} ms CPU a mail"
        )
    return best


def targets_of(records: int, runs: dict[str, Run]) -> Iterator[Target]:
    """What was promised for mails of so many records, as far as it could be measured."""
    mails = f"mails of {records:,} record{'s' if records > 1 else ''}"
    ours = runs["ours"].per_s
    if "parsedmarc" in runs:
        parsing = runs["parsedmarc"].per_s
        yield Target(f"{mails}: stored : parsedmarc's parsing", ours / parsing, WANTED[records], unit="×")
        checked = runs["ours-trust"].per_s
        yield Target(f"{mails}: checked and stored : its parsing", checked / parsing, WANTED_WITH_TRUST, unit="×")
        busy = runs["ours-worker-busy"].per_s
        yield Target(f"{mails}: serve, busy : its parsing", busy / parsing, WANTED[records], unit="×")
    yield Target(f"{mails}: time : time of the floor", runs["floor"].per_s / ours, FLOOR, True, "×")


def stored_rows(records: int, runs: dict[str, Run]) -> Iterator[tuple[str, ...]]:
    """How many times as fast we store as parsedmarc stores in PostgreSQL."""
    if "parsedmarc-postgresql" in runs:
        base = runs["parsedmarc-postgresql"].per_s
        ways = ("ours", "ours-trust", "ours-postgresql", "ours-worker", "ours-worker-busy")
        yield (f"{records:,}", *(f"{runs[way].per_s / base:.1f}×" for way in ways))


def rows_of(records: int, runs: dict[str, Run]) -> Iterator[tuple[str, ...]]:
    """For the table."""
    base = runs.get("parsedmarc")
    for way, run in runs.items():
        ratio = f"{run.per_s / base.per_s:.2f}×" if base else "-"
        cpu = f"{base.cpu_s / run.cpu_s:.2f}×" if base else "-"
        rates = f"{run.per_s:,.0f}", f"{run.records / run.wall_s:,.0f}", f"{1e3 * run.cpu_s / run.mails:.2f}"
        floor = f"{runs['floor'].per_s / run.per_s:.2f}×"
        yield (f"{records:,}", LABELS[way], *rates, ratio, cpu, floor)


def run(sizes: Sequence[int] = tuple(MAILS)) -> list[Target]:
    """Measure, save and print; returns the promises."""
    say("reports")
    if not PEER.exists():
        say("  parsedmarc is missing: make peers")
    found = measure(sizes)
    targets = [target for records, runs in found.items() for target in targets_of(records, runs)]
    runs = [
        {"records": records, "way": way, "mails": run.mails, "wall_s": run.wall_s, "cpu_s": run.cpu_s}
        for records, best in found.items()
        for way, run in best.items()
    ]
    save("reports", {"turns": TURNS, "runs": runs, "targets": [target.json for target in targets]})
    head = (
        "records a mail",
        "way",
        "mails/s",
        "records/s",
        "CPU ms/mail",
        "parsedmarc = 1",
        "by CPU",
        "time, floor = 1",
    )
    print(table(head, [row for records, best in found.items() for row in rows_of(records, best)]), end="\n\n")
    stored = [row for records, best in found.items() for row in stored_rows(records, best)]
    if stored:
        print(table(STORED_HEAD, stored), end="\n\n")
    return targets


if __name__ == "__main__":
    print(targets_table(run([int(word) for word in sys.argv[1:]] or tuple(MAILS))))
