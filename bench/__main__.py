"""Run benchmarks; print what was measured and which promises were kept.

``python -m bench [PART ...]``: those parts, or all. With ``--write`` each part's tables also go into
docs/benchmarks.md, where the part has its place.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib import import_module
from io import StringIO
from pathlib import Path

from bench.report import Target, machine_line, targets_table

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
PARTS = (
    *("single", "floor", "bulk", "memory", "reports", "commands", "limits", "reading", "listener", "attacks"),
    "guide",
)
"""Modules with a ``run`` that prints tables and returns the promises."""


def main() -> int:
    """0 when every promise was kept."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Run benchmarks.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"one of {', '.join(PARTS)}; without any, all")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks.md")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    kept = True
    for part in options.parts or PARTS:
        tables, targets = measure(import_module(f"bench.{part}").run)
        print(f"## {part}\n\n{tables}", flush=True)
        if options.write:
            write(part, tables)
        kept = kept and all(target.met for target in targets)
    return 0 if kept else 1


def measure(run: Callable[[], list[Target]]) -> tuple[str, list[Target]]:
    """Run a part: its tables, and its promises."""
    shown = StringIO()
    with redirect_stdout(shown):
        targets = run()
        if targets:
            print(targets_table(targets), end="\n\n")
        print(machine_line())
    return shown.getvalue(), targets


def write(part: str, tables: str) -> None:
    """Put the tables of a part into their place on the page."""
    place = re.compile(rf"(?<=<!-- measured: {part} -->\n).*?(?=<!-- end -->)", re.DOTALL)
    PAGE.write_text(place.sub(lambda _: f"\n{tables}\n", PAGE.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    sys.exit(main())
