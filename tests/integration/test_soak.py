"""A long day, shortened: thousands of mails through one daemon, which holds no more in the end than after the first.

``MAILGUARD_SOAK_MAILS`` says how many; an hour of a busy provider is some 20,000.
"""

from __future__ import annotations

import os
import re
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cli.daemon import Senders, until
from tests.integration.house import House, start

pytestmark = pytest.mark.integration

MAILS = int(os.environ.get("MAILGUARD_SOAK_MAILS", "1500"))
GROWTH_MB = 15


def figures(house: House) -> tuple[float, int, int]:
    """Memory of the daemon in MB, its open files, its threads."""
    assert house.process is not None
    process = Path(f"/proc/{house.process.pid}")
    status = (process / "status").read_text("ascii")
    memory = re.search(r"VmRSS:\s+(\d+) kB", status)
    threads = re.search(r"Threads:\s+(\d+)", status)
    assert memory is not None
    assert threads is not None
    return int(memory[1]) / 1000, len(list((process / "fd").iterdir())), int(threads[1])


def work(house: House, name: str, mails: int) -> None:
    with Senders(house, name) as senders:
        until(lambda: len(senders.acknowledged) >= mails, 600)
    until(house.is_done, 600)


def test_a_long_day_leaves_nothing_behind(tmp_path: Path, started: ExitStack) -> None:
    house = start(started, House(tmp_path, str(tmp_path / "reports.db")))
    work(house, "morning", MAILS)
    memory, files, threads = figures(house)
    work(house, "afternoon", MAILS)
    grown = figures(house)[0] - memory
    print(f"{2 * MAILS:,} mails: {memory:.0f} MB, {grown:+.1f} MB in the second half", file=sys.__stderr__, flush=True)
    until(lambda: figures(house)[1] <= files)
    assert figures(house)[2] <= threads + 1
    assert grown < GROWTH_MB
    assert house.stop() == 0
