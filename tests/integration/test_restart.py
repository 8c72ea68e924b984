"""Mail is accepted again soon after a kill, however much lies in the spool."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

import pytest

from mailguard.spool import Shelf
from tests.cli.daemon import until
from tests.integration.house import House, start
from tests.integration.restarts import tell_starts
from tests.worker.mails import report_mail

pytestmark = pytest.mark.integration

IS_LONG = "MAILGUARD_KILLS" in os.environ
ROUNDS = 5 if IS_LONG else 1

FILES = 9_900 if IS_LONG else 1_000
"""The daemon takes no more mail at 10,000."""

CLAIMED = 500
"""As many as a worker has at a time."""


def fill(spool: Path) -> None:
    """As it looks after a day without a database, and a kill."""
    shelf = Shelf(spool)
    shelf.prepare()
    first = shelf.put([report_mail("waits")])
    content = first.read_bytes()
    first.unlink()
    for number in range(FILES):
        folder, claims = (shelf.work, 1) if number < CLAIMED else (shelf.new, 0)
        (folder / f"{number:020d}-{number:08x}.{claims}.mails").write_bytes(content)


def test_a_full_spool_keeps_nobody_waiting(tmp_path: Path, started: ExitStack) -> None:
    fill(tmp_path / "spool")
    (tmp_path / "reports.db").mkdir()  # where the file should be: the database is away
    house = House(tmp_path, str(tmp_path / "reports.db"))
    starts = []
    for number in range(ROUNDS):
        starts.append(house.start())
        started.callback(house.kill)
        house.send(f"new-{number}")
        house.kill()
    tell_starts(f"serve with {FILES:,} files in its spool", starts)
    (tmp_path / "reports.db").rmdir()
    start(started, house)
    until(lambda: len(house.ids()) == 1 + ROUNDS, 120)
    until(house.is_done, 120)
    assert set(house.ids().values()) == {1}
