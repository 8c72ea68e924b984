"""What a running ``mailguard serve`` stands on goes away and comes back: PostgreSQL, the database's disk, DNS.

Mail is accepted all the time, nothing is lost or stored twice, the log says it once, and nobody has to start anything.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import psycopg
import pytest

from mailguard.store import postgresql
from tests.cli.daemon import SETTINGS, Senders, until
from tests.integration.disks import mounted_disk, remount
from tests.integration.dns_servers import find_program, free_port, running_nsd
from tests.integration.house import AWAY, House, start
from tests.integration.postgres_server import PostgresServer

pytestmark = pytest.mark.integration


def test_postgresql_goes_away_under_three_daemons_and_comes_back(
    postgres: PostgresServer, started: ExitStack, tmp_path: Path
) -> None:
    houses = [start(started, House(tmp_path / str(number), postgres.url)) for number in range(3)]
    with ExitStack() as load:
        senders = [load.enter_context(Senders(house, house.folder.name, threads=1)) for house in houses]
        for outage in range(1, 4):
            taken = [len(one.acknowledged) for one in senders]
            until(lambda taken=taken: all(len(o.acknowledged) > t + 10 for o, t in zip(senders, taken, strict=True)))
            postgres.stop()
            until(lambda outage=outage: all(house.outages()[0] == outage for house in houses))
            taken = [len(one.acknowledged) for one in senders]
            until(lambda taken=taken: all(len(o.acknowledged) > t + 10 for o, t in zip(senders, taken, strict=True)))
            postgres.start()
            until(lambda outage=outage: all(house.outages() == (outage, outage) for house in houses), 60)
    until(lambda: all(house.is_done() for house in houses), 120)
    acknowledged = {id for one in senders for id in one.acknowledged}
    ids = houses[0].ids()
    assert acknowledged <= ids.keys()
    assert ids.keys() <= {id for one in senders for id in one.sent}
    assert max(ids.values()) == 1
    assert houses[0].damage() == []
    assert [house.stop() for house in houses] == [0, 0, 0]
    assert [house.outages() for house in houses] == [(3, 3)] * 3
    for house in houses:
        assert " error: " not in "".join(line for line in house.log_text().splitlines() if AWAY not in line)


def test_a_daemon_may_start_before_its_database(postgres: PostgresServer, started: ExitStack, tmp_path: Path) -> None:
    postgres.stop()
    house = start(started, House(tmp_path, postgres.url))
    house.send("a", "b")
    until(lambda: house.outages()[0] == 1)
    postgres.start()
    until(lambda: set(house.ids()) == {"a", "b"}, 60)


def test_a_database_that_hangs_keeps_no_mail_out_and_no_stop_waiting(
    postgres: PostgresServer, started: ExitStack, tmp_path: Path
) -> None:
    house = start(started, House(tmp_path, postgres.url))
    house.send("before")
    until(lambda: house.ids() and house.is_done())
    postgres.freeze()
    started.callback(postgres.thaw)
    house.send("meanwhile", "and another")
    assert house.stop() == 0
    postgres.thaw()
    start(started, house)
    until(lambda: set(house.ids()) == {"before", "meanwhile", "and another"}, 60)
    until(house.is_done)
    assert max(house.ids().values()) == 1


def test_a_writer_that_stands_still_loses_its_turn(
    postgres: PostgresServer, started: ExitStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As another daemon that was stopped in the middle of a transaction, on a machine that still answers."""
    house = start(started, House(tmp_path, postgres.url))
    house.send("before")
    until(lambda: house.ids() and house.is_done())
    monkeypatch.setattr(postgresql, "_TURNS", postgresql._TURNS.replace("60s", "15s"))
    with closing(postgresql.connect(postgres.url)) as other, suppress(psycopg.Error), other.transaction():
        house.send("meanwhile")
        until(lambda: house.outages()[0] == 1)
        assert "another program is writing to it" in house.log_text()
        until(lambda: house.ids()["meanwhile"] == 1, 60)
    until(lambda: house.outages() == (1, 1))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """For the database; the spool lies elsewhere."""
    with mounted_disk(tmp_path / "small", 2) as folder:
        yield folder


def fill(filler: Path) -> None:
    """Until nothing more fits on its file system."""
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def test_the_disk_of_the_database_fills_up_and_has_room_again(small_disk: Path, started: ExitStack) -> None:
    house = start(started, House(small_disk.parent / "house", str(small_disk / "reports.db")))
    house.send("before")
    until(house.ids)
    filler = small_disk / "filler"
    fill(filler)
    sent = [f"m{number}" for number in range(200)]
    house.send(*sent)
    until(lambda: house.outages()[0] == 1)
    assert "full" in next(line for line in house.log_text().splitlines() if AWAY in line)
    filler.unlink()
    until(lambda: set(house.ids()) == {"before", *sent} and house.is_done(), 60)
    assert house.damage() == []
    until(lambda: house.outages() == (1, 1))


def test_the_disk_of_the_database_turns_read_only_and_back(small_disk: Path, started: ExitStack) -> None:
    house = start(started, House(small_disk.parent / "house", str(small_disk / "reports.db")))
    house.send("before")
    until(lambda: house.ids() and house.is_done())
    # A file that is open for writing keeps its file system from turning read-only; so does a broken disk's, by force.
    house.stop()
    remount(small_disk, "ro")
    start(started, house)
    house.send("meanwhile")
    until(lambda: house.outages()[0] == 1)
    remount(small_disk, "rw")
    until(lambda: set(house.ids()) == {"before", "meanwhile"}, 60)
    until(lambda: house.outages() == (1, 1))


def test_somebody_else_holds_the_database_longer_than_anybody_waits(tmp_path: Path, started: ExitStack) -> None:
    house = start(started, House(tmp_path, str(tmp_path / "reports.db")))
    house.send("before")
    until(lambda: house.ids() and house.is_done())
    with closing(sqlite3.connect(tmp_path / "reports.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        house.send("meanwhile")
        until(lambda: house.outages()[0] == 1)
        assert "another program is writing to it" in house.log_text()
        other.execute("ROLLBACK")
    until(lambda: set(house.ids()) == {"before", "meanwhile"}, 60)
    until(lambda: house.outages() == (1, 1))


ZONE = """
$TTL 60
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A 127.0.0.1
reporter TXT "v=spf1 ip4:127.0.0.1 -all"
_dmarc.reporter TXT "v=DMARC1; p=reject"
"""


@pytest.mark.skipif(find_program("nsd") is None, reason="nsd is not here: apt install nsd")
def test_reports_that_came_while_dns_was_away_are_believed_once_it_is_back(tmp_path: Path, started: ExitStack) -> None:
    port = free_port()
    checked = SETTINGS.replace("check = false", f'nameservers = ["127.0.0.1:{port}"]')
    house = start(started, House(tmp_path, str(tmp_path / "reports.db"), checked))
    house.send("a", "b")
    until(lambda: set(house.ids()) == {"a", "b"}, 60)
    assert house.grades() == {"a": "unverified", "b": "unverified"}
    assert house.counted() == 0
    folder = tmp_path / "dns"
    folder.mkdir()
    with running_nsd(folder, {"example.": ZONE}, port):
        make_due(tmp_path / "spool" / "later")
        until(lambda: house.grades() == {"a": "verified", "b": "verified"}, 60)
        until(lambda: not list((tmp_path / "spool" / "later").iterdir()))
    assert house.counted() == 2
    assert house.damage() == []


def make_due(later: Path) -> None:
    """As if the time to wait were over; the daemon looks every half minute."""
    for file in later.iterdir():
        file.rename(file.with_name(f"{1:012d}{file.name[12:]}"))
