"""The writing thread: what has begun ends, and trouble is told."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from mailguard.errors import OperationError
from mailguard.store.writer import Writer
from tests.store.samples import filed, report


async def test_the_writer_finishes_what_its_caller_no_longer_waits_for(tmp_path: Path) -> None:
    async with Writer(tmp_path / "db") as writer:
        waiting = asyncio.create_task(writer.add([filed(report())]))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert not (await writer.add([filed(report())]))[0].new


async def test_a_writer_without_its_database_says_so(tmp_path: Path) -> None:
    async with Writer(tmp_path / "db") as writer:
        with sqlite3.connect(tmp_path / "db") as other:
            other.execute("DROP TABLE record")
        other.close()
        with pytest.raises(OperationError, match="could not be stored"):
            await writer.add([filed(report())])
