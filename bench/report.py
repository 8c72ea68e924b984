"""What a benchmark measured, on which machine, as JSON and as a table."""

from __future__ import annotations

import json
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import distributions, version
from os import cpu_count, getloadavg
from pathlib import Path
from types import TracebackType
from typing import Any

RESULTS = Path(__file__).parent / "results"


class Stopwatch:
    """Wall and processor seconds of this process between entering and leaving."""

    def __enter__(self) -> Stopwatch:
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.wall_s = time.perf_counter() - self._wall
        self.cpu_s = time.process_time() - self._cpu


@dataclass(frozen=True, slots=True)
class Rate:
    """So many domains in so many seconds. ``questions`` are those that left the process, 0 where nobody counted."""

    label: str
    domains: int
    wall_s: float
    cpu_s: float
    questions: int = 0

    @property
    def per_s(self) -> float:
        return self.domains / self.wall_s

    @property
    def cpu_ms(self) -> float:
        """Processor time a domain, in milliseconds."""
        return 1000 * self.cpu_s / self.domains


@dataclass(frozen=True, slots=True)
class Target:
    """A figure that was promised. ``value`` must be at least ``bound``, or at most where ``upper``."""

    label: str
    value: float
    bound: float
    upper: bool = False
    unit: str = ""

    @property
    def met(self) -> bool:
        return self.value <= self.bound if self.upper else self.value >= self.bound

    @property
    def json(self) -> dict[str, Any]:
        """For ``save``."""
        return {**asdict(self), "value": round(self.value, 3), "met": self.met}

    @property
    def row(self) -> tuple[str, ...]:
        """For ``targets_table``."""
        sign = "≤" if self.upper else "≥"
        met = "yes" if self.met else "NO"
        return (self.label, f"{_figure(self.value)} {self.unit}", f"{sign} {_figure(self.bound)} {self.unit}", met)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 20 else f"{value:.2f}"


def machine() -> dict[str, Any]:
    """Where and when."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": _cpu_model(),
        "cores": cpu_count(),
        "load": [round(load, 2) for load in getloadavg()],
        "python": platform.python_version(),
        "system": platform.system(),
        "dnspython": version("dnspython"),
        "checkdmarc": version("checkdmarc"),
        "parsedmarc": _version_of_peer(),
    }


def machine_line() -> str:
    """Where and when, and how busy it was, for below a table."""
    where = machine()
    versions = ", ".join(f"{library} {where[library]}" for library in ("dnspython", "checkdmarc", "parsedmarc"))
    begun = f"{where['date'][:16].replace('T', ' ')} UTC, load {where['load'][0]}"
    return f"{where['cpu']}, {where['cores']} cores, Python {where['python']}, {versions}, {begun}."


def _version_of_peer() -> str:
    """Of parsedmarc, which has an environment of its own."""
    place = (Path(__file__).parents[1] / ".venv-bench").glob("lib/python*/site-packages")
    found = [one.version for one in distributions(name="parsedmarc", path=[str(folder) for folder in place])]
    return found[0] if found else "-"


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def save(benchmark: str, figures: dict[str, Any]) -> None:
    """Write ``bench/results/<benchmark>.json``: the machine and the figures."""
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps({"machine": machine(), **figures}, indent=2, ensure_ascii=False)
    (RESULTS / f"{benchmark}.json").write_text(text + "\n", "utf-8")


def rates_table(rates: Sequence[Rate], baseline: str) -> str:
    """A Markdown table of rates; the last column compares with the one labelled ``baseline``."""
    base = next((rate.per_s for rate in rates if rate.label == baseline), 0.0)
    rows = [
        (
            rate.label,
            f"{rate.domains:,}",
            f"{rate.per_s:.1f}",
            f"{rate.cpu_ms:.1f}",
            f"{rate.questions / rate.domains:.1f}" if rate.questions else "",
            f"{rate.per_s / base:.1f}×" if base else "",
        )
        for rate in rates
    ]
    return table(("run", "domains", "domains/s", "CPU ms/domain", "questions/domain", "ratio"), rows)


def targets_table(targets: Sequence[Target]) -> str:
    """A Markdown table of promises."""
    return table(("figure", "measured", "target", "met"), [target.row for target in targets])


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def rates_json(rates: Sequence[Rate]) -> list[dict[str, Any]]:
    """Rates for ``save``."""
    return [{**asdict(rate), "per_s": round(rate.per_s, 2), "cpu_ms": round(rate.cpu_ms, 3)} for rate in rates]


def say(text: str) -> None:
    """Progress, on standard error."""
    print(text, file=sys.stderr, flush=True)
