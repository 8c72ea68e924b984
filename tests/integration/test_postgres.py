"""The store on a real PostgreSQL: the same answers as on SQLite, and two daemons at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mailguard.errors import OperationError
from mailguard.store import Outcome, Store, open_reader, open_store
from mailguard.store.migrate import HEAD, downgrade, schema_of, upgrade
from mailguard.store.upkeep import Kind, check, prune
from mailguard.trust.grade import UNVERIFIED
from tests.store.postgres import server
from tests.store.samples import AUTHENTICATED, BEGIN, DOMAIN, VERIFIED, everything, filed, record, report
from tests.store.test_migrate import differences
from tests.store.test_queries import MAILS, WINDOW, answers

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with server() as url:
        yield url


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with open_store(url) as store:
        yield store
        downgrade(store.database)


def test_the_same_mails_give_the_same_answers_as_on_sqlite(store: Store, tmp_path: Path) -> None:
    with open_store(tmp_path / "db") as other:
        assert [store.add([one]) for one in MAILS] == [other.add([one]) for one in MAILS]
        assert store.add(MAILS) == other.add(MAILS)
        assert answers(store) == answers(other)
        assert everything(store.database) == everything(other.database)
    assert list(check(store.database)) == []


def test_many_records_go_in_by_copy(store: Store) -> None:
    many = report(*(record(f"192.0.{n // 250}.{n % 250}", n, selector=f"s{n % 3}") for n in range(2000)))
    assert store.add([filed(many)])[0].outcomes == (Outcome.STORED,)
    assert len(list(store.records(WINDOW))) == 2000
    assert sum(row.messages for row in store.sources(WINDOW)) == sum(range(2000))
    assert list(check(store.database)) == []


def test_two_stores_that_are_given_the_same_report_at_once_store_it_once(url: str, store: Store) -> None:
    together = threading.Barrier(2)

    def add(number: int) -> list[Outcome]:
        found = []
        with open_store(url) as own:
            for turn in range(30):
                one = report(record(count=turn + 1), report_id=f"r-{turn}", begin=BEGIN)
                trust = (VERIFIED, UNVERIFIED, AUTHENTICATED)[(turn + number) % 3]
                together.wait()
                (stored,) = own.add([filed(one, trust=trust, raw=b"%d" % turn)])
                found.append(stored.outcomes[0])
        return found

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(add, range(2)))
    assert store.database.rows("SELECT COUNT(*) FROM mail") == [(30,)]
    assert store.database.rows("SELECT COUNT(*) FROM report WHERE superseded_by IS NULL") == [(30,)]
    assert store.database.rows("SELECT SUM(messages) FROM rollup_day") == [(sum(range(31)),)]
    assert list(check(store.database)) == []


def test_two_stores_that_open_an_empty_database_at_once_make_one_schema(url: str, store: Store) -> None:
    downgrade(store.database)
    with ThreadPoolExecutor(2) as pool:
        for opened in pool.map(open_store, [url, url]):
            opened.close()
    assert schema_of(store.database) == HEAD


def test_the_steps_make_the_schema_both_ways_and_keep_what_they_can(store: Store) -> None:
    assert differences(store.database) == []
    store.add([filed(report(record(count=5)))])
    before = everything(store.database)
    assert downgrade(store.database, "0001") == "0001"
    assert upgrade(store.database) == HEAD
    assert everything(store.database) == before
    assert list(check(store.database)) == []
    assert downgrade(store.database) == ""
    assert store.database.tables() == {"alembic_version"}
    assert upgrade(store.database) == HEAD
    assert differences(store.database) == []


def test_what_is_pruned_is_gone_and_the_rest_agrees(store: Store) -> None:
    store.add(MAILS)
    for kind in (Kind.RAW, Kind.UNVERIFIED, Kind.RECORDS, Kind.TLS, Kind.FAILURES):
        prune(store.database, kind, BEGIN + 2 * 86_400)
        assert list(check(store.database)) == []


def test_a_connection_that_was_cut_comes_back(url: str, store: Store) -> None:
    with open_store(url) as other:
        ((pid,),) = other.database.rows("SELECT pg_backend_pid()")
        store.database.rows("SELECT pg_terminate_backend(?)", (pid,))
        with pytest.raises(OperationError, match="could not be stored"):
            other.add([filed(report())])
    with open_store(url) as again:
        assert again.add([filed(report())])[0].new


def test_a_reader_cannot_write(url: str, store: Store) -> None:
    with open_reader(url) as reader, pytest.raises(Exception, match="read-only"):
        reader.database.run("DELETE FROM mail")


def test_a_server_that_is_not_there_is_told_without_the_password() -> None:
    with pytest.raises(OperationError, match="cannot be reached") as caught:
        open_store(f"postgresql://mailguard:secret@127.0.0.1:1/{DOMAIN}")
    assert "secret" not in str(caught.value)
