"""A PostgreSQL server for all tests that take it away, and an end for everything that they start."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.integration.postgres_server import PostgresServer, postgres_server


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


@pytest.fixture
def postgres(postgresql_server: PostgresServer) -> Iterator[PostgresServer]:
    yield postgresql_server
    postgresql_server.clear()


@pytest.fixture
def started() -> Iterator[ExitStack]:
    """What is to be ended in any case."""
    with ExitStack() as stack:
        yield stack
