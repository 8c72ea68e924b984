"""Opening the SQLite database."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mailguard.errors import OperationError
from mailguard.store.migrate import migrate

BUSY_MS = 5_000
"""How long a connection waits for another process's write."""


def open_for_writing(path: Path) -> sqlite3.Connection:
    """Open, create and migrate the database; the connection belongs to the thread that calls.

    The file is readable by its owner only. Raises OperationError when that is not possible.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = sqlite3.connect(path, isolation_level=None, timeout=BUSY_MS / 1000)
    except (OSError, sqlite3.Error) as error:
        raise OperationError(f"The database {path} cannot be opened: {error}.") from error
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        # FULL: a sender has been told 250; NORMAL may forget the last commits when the power fails.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        migrate(connection)
    except sqlite3.Error as error:
        connection.close()
        raise OperationError(f"The database {path} cannot be used: {error}.") from error
    except OperationError:
        connection.close()
        raise
    return connection


@contextmanager
def open_for_reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that cannot write; closed at the end. Raises OperationError when there is no such database."""
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_MS / 1000)
    except sqlite3.Error as error:
        raise OperationError(f"The database {path} cannot be opened: {error}.") from error
    try:
        yield connection
    finally:
        connection.close()
