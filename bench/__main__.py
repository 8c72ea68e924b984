"""Run every benchmark; print what was measured and which promises were kept.

With ``--write`` the tables also go into docs/benchmarks.md.
"""

from __future__ import annotations

import re
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from bench import bulk, floor, memory, single
from bench.report import machine, targets_table

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
_MEASURED = re.compile(r"(?<=<!-- measured -->\n).*?(?=<!-- end -->)", re.DOTALL)


def main() -> int:
    """0 when every promise was kept."""
    targets = []
    shown = StringIO()
    with redirect_stdout(shown):
        for benchmark in (single, floor, bulk, memory):
            targets += benchmark.run()
        where = machine()
        print(targets_table(targets), end="\n\n")
        print(
            f"{where['cpu']}, {where['cores']} cores, Python {where['python']}, dnspython {where['dnspython']}, "
            f"checkdmarc {where['checkdmarc']}, {where['date'][:10]}."
        )
    print(shown.getvalue())
    if "--write" in sys.argv and PAGE.exists():
        text = PAGE.read_text("utf-8")
        PAGE.write_text(_MEASURED.sub(lambda _: "\n" + shown.getvalue() + "\n", text), "utf-8")
    return 0 if all(target.met for target in targets) else 1


if __name__ == "__main__":
    sys.exit(main())
