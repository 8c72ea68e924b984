"""A store in each of the two databases: what a test says of one holds for the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailguard.store import Store, open_store
from mailguard.store.migrate import downgrade
from tests.store.postgres import server


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with server() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.integration)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where an empty database is; it is empty again afterwards."""
    if request.param == "sqlite":
        yield str(tmp_path / "db")
        return
    url = request.getfixturevalue("postgres")
    yield url
    with open_store(url) as store:
        downgrade(store.database)


@pytest.fixture
def store(place: str) -> Iterator[Store]:
    with open_store(place) as store:
        yield store
