"""Clients' data: found whole, counted, deleted so that not a byte is left, and nobody else's touched."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.errors import OperationError
from mailguard.names import DomainName
from mailguard.spool import Shelf
from mailguard.store import Store, clientrows, clients, open_store
from mailguard.store.clients import Client, Mails
from mailguard.store.upkeep import Kind, check
from mailguard.worker.whose import find_files, find_mails
from tests.store.kept import AUDITS, BELOW, CLINIC, OTHER, OTHERS, OWN, SHARED, about, aggregate, filed, fill, mail

EVERY = Client(DomainName(CLINIC))
ALONE = Client(DomainName(CLINIC), below=False)


@pytest.fixture
def full(store: Store) -> Store:
    fill(store)
    return store


def mails(store: Store, client: Client = EVERY) -> Mails:
    return asyncio.run(find_mails(store.database, client))


def counts(store: Store, client: Client = EVERY) -> dict[str, int]:
    return {one.kind: one.count for one in clients.holdings(store.database, client, mails(store, client))}


def numbers(store: Store, raws: Any) -> set[int]:
    """The numbers that mails with these bytes have."""
    kept = {one: store.load_kept(one) for one in store.list_kept()}
    return {number for number, one in kept.items() if one and one.mail.raw in raws}


def delete(store: Store, client: Client = EVERY) -> None:
    found = mails(store, client)
    clients.delete(store.database, client, found, clients.holdings(store.database, client, found))


def of_others(store: Store) -> dict[str, list[Any]]:
    """Every row of others that hangs on a domain."""
    wanted = "policy_domain NOT IN ('clinic.example.jp', 'www.clinic.example.jp')"
    asked = {
        "report": f"SELECT * FROM report WHERE {wanted} ORDER BY id",
        "record": "SELECT record.* FROM record JOIN report ON report.id = record.report_id "
        f"WHERE {wanted} ORDER BY record.report_id, n",
        "day": f"SELECT * FROM rollup_day WHERE {wanted} ORDER BY policy_domain, day, grade, disposition, dkim_aligned",
        "source": f"SELECT * FROM rollup_source WHERE {wanted} ORDER BY policy_domain, day, grade, source_ip",
        "tls": "SELECT * FROM tls_policy WHERE domain = 'other.example.jp' ORDER BY report_id, n",
        "audit": f"SELECT domain, as_of FROM audit WHERE {wanted.replace('policy_domain', 'domain')} ORDER BY 1",
    }
    with clients.asking(store.database):
        return {name: store.database.rows(sql) for name, sql in asked.items()}


def test_everything_about_a_client_is_counted(full: Store) -> None:
    assert counts(full) == {
        "reports": 4,  # report, below, the one of "two", the forged one
        "records": 8,
        "sums": 9,
        "tls": 2,
        "failures": 1,
        "audits": 2,
        "mails": 10,
    }
    assert clients.names(full.database, EVERY) == [CLINIC, BELOW]
    assert counts(full, ALONE)["reports"] == 3
    assert clients.names(full.database, ALONE) == [CLINIC]


def test_mails_are_found_by_what_they_hold_and_not_only_by_what_was_filed_from_them(full: Store) -> None:
    found = mails(full)
    forged = numbers(full, {mail("Forged", aggregate(CLINIC, "f-1"))})
    # Of a failure report's mail no bytes are kept.
    assert numbers(full, OWN.values()) | forged <= set(found.own)
    assert len(found.own) == len(OWN) + 1
    assert set(found.shared) == numbers(full, SHARED.values())


def test_after_deleting_nothing_is_left_and_others_keep_everything(full: Store) -> None:
    before = of_others(full)
    shared = numbers(full, SHARED.values())
    kept = numbers(full, OTHERS.values())
    delete(full)
    assert set(counts(full).values()) == {0}
    assert of_others(full) == before
    assert list(check(full.database)) == []
    assert clients.mentions(full.database, EVERY) == 0
    # Shared mails stay as what others' reports came with; their bytes told of the client.
    rows = full.database.rows("SELECT id, raw IS NULL FROM mail ORDER BY id")
    assert {number for number, gone in rows if gone} == shared
    assert kept <= {number for number, gone in rows if not gone}


def test_one_name_alone_leaves_the_names_below_it(full: Store) -> None:
    delete(full, ALONE)
    assert clients.names(full.database, EVERY) == [BELOW]
    assert counts(full, Client(DomainName(BELOW)))["reports"] == 1


def test_a_report_that_comes_after_a_deletion_is_counted_anew(full: Store) -> None:
    before = counts(full)
    delete(full)
    fill(full)
    after = counts(full)
    assert (after["reports"], after["records"], after["sums"]) == (before["reports"], before["records"], before["sums"])
    assert list(check(full.database)) == []


def test_what_comes_in_between_counting_and_deleting_stops_it(full: Store) -> None:
    found = mails(full)
    seen = clients.holdings(full.database, EVERY, found)
    full.add([filed(mail("late", aggregate(CLINIC, "late")))])
    before = counts(full)
    with pytest.raises(OperationError, match="meanwhile"):
        clients.delete(full.database, EVERY, found, seen)
    assert counts(full) == before


def test_reports_of_others_that_name_the_client_are_counted_and_stay(store: Store) -> None:
    raw = mail(
        about(OTHER),
        aggregate(OTHER).replace(
            "<header_from>other", "<envelope_to>clinic.example.jp</envelope_to><header_from>other"
        ),
    )
    store.add([filed(raw, origin="/in/other.eml")])
    assert set(counts(store).values()) == {0}
    assert clients.mentions(store.database, EVERY) == 2


def test_a_tls_report_about_two_clients_loses_only_the_policies_of_one(full: Store) -> None:
    delete(full)
    assert [row[0] for row in full.database.rows("SELECT DISTINCT domain FROM tls_policy")] == [OTHER]
    assert full.database.rows("SELECT COUNT(*) FROM tls_report")[0][0] == 2


def test_scrubbing_leaves_a_sound_database(full: Store) -> None:
    before = of_others(full)
    delete(full)
    full.database.scrub()
    assert of_others(full) == before
    assert list(check(full.database)) == []


FORMS = [CLINIC.encode(), CLINIC.encode("utf-16-le"), b"clinic.example", b"www.clinic"]


def bytes_beside(place: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(place.parent.iterdir()))


def test_not_a_byte_of_the_name_is_left_in_the_files(tmp_path: Path) -> None:
    """``myclinic.example.jp`` is nobody here: its name holds the client's."""
    place = tmp_path / "db"
    with open_store(place) as store:
        for number in range(40):
            store.add([filed(mail(about(CLINIC), aggregate(CLINIC, f"n-{number}")), origin=f"/in/{CLINIC}.eml")])
            store.add([filed(mail(about(OTHER), aggregate(OTHER, f"n-{number}")))])
        store.add([filed(raw) for raw in SHARED.values()])
        for document in AUDITS[:3]:
            store.keep_audit(document)
        assert any(form in bytes_beside(place) for form in FORMS)
        sums = of_others(store)
        delete(store)
        store.database.scrub()
        assert not [form for form in FORMS if form in bytes_beside(place)]
        assert of_others(store) == sums
    assert not [form for form in FORMS if form in bytes_beside(place)]


def test_who_holds_on_to_old_pages_is_told_of(tmp_path: Path) -> None:
    place = tmp_path / "db"
    with open_store(place) as store:
        fill(store)
        store.database.connection.execute("PRAGMA busy_timeout = 50")  # type: ignore[attr-defined]
        reader = sqlite3.connect(place, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT COUNT(*) FROM report").fetchone()
        delete(store)
        with pytest.raises(OperationError, match="another program has the database open"):
            store.database.scrub()
        reader.close()
        store.database.scrub()
        assert b"www.clinic.example.jp" not in bytes_beside(place)


@contextmanager
def spooled(folder: Path, *raws: bytes) -> Iterator[list[Path]]:
    shelf = Shelf(folder)
    shelf.prepare()
    yield [shelf.put([filed(raw).mail]) for raw in raws]


def test_files_of_the_spool_are_found_by_what_is_in_them(tmp_path: Path) -> None:
    with spooled(tmp_path / "spool", *OWN.values(), *SHARED.values(), *OTHERS.values()) as files:
        found = asyncio.run(find_files([*files, tmp_path / "gone"], EVERY))
        assert found == files[: len(OWN) + len(SHARED)]


def test_everything_counted_is_in_the_listings(full: Store) -> None:
    held = counts(full)
    rows = {one.name: list(clientrows.rows(full.database, one)) for one in clientrows.listings(EVERY)}
    assert len(rows["reports"]) == held["reports"]
    assert len(rows["records"]) == held["records"]
    assert len(rows["sums-by-day"]) + len(rows["sums-by-source"]) == held["sums"]
    assert len(rows["tls-reports"]) == held["tls"]
    assert {row["domain"] for row in rows["tls-policies"]} == {CLINIC}
    assert len(rows["failure-reports"]) == held["failures"]
    assert rows["reports"][0]["begin"] == "2026-09-21T14:13:20Z"
    assert rows["records"][0]["auth_results"][0] == [[CLINIC, "s1", "pass"]]
    found = mails(full)
    mail_rows = list(clientrows.mail_rows(full.database, found))
    assert len(mail_rows) == held["mails"]
    assert {row["why_no_file"] for row in mail_rows} == {"", "holds-reports-about-others", "not-kept"}
    raws = dict(clientrows.raw_mails(full.database, found))
    assert set(raws) == {row["file"] for row in mail_rows} - {""}
    assert set(OWN.values()) - {OWN["failure"]} <= set(raws.values())


def test_audits_go_when_their_time_is_over(store: Store) -> None:
    for document in AUDITS:
        store.keep_audit(document)
    assert store.prune(Kind.AUDITS, int(datetime(2026, 11, 3, tzinfo=UTC).timestamp())) == 2
    assert [name for name, _ in store.list_audits()] == [AUDITS[3]["domain"], AUDITS[2]["domain"]]


@pytest.mark.parametrize(
    ("text", "below", "alone"),
    [
        ("clinic.example.jp", True, True),
        ("CLINIC.example.jp", True, True),
        ("google.com!clinic.example.jp!1!2.zip", True, True),
        ("dmarc@clinic.example.jp", True, True),
        ("Report Domain: clinic.example.jp.", True, True),
        ("www.clinic.example.jp", True, False),
        ("myclinic.example.jp", False, False),
        ("my-clinic.example.jp", False, False),
        ("clinic.example.jp.evil.example", False, False),
        ("clinic.example.jpn", False, False),
        ("clinicXexample.jp", False, False),
        ("", False, False),
    ],
)
def test_texts_that_name_a_client(text: str, below: bool, alone: bool) -> None:
    assert (EVERY.named_in(text), ALONE.named_in(text)) == (below, alone)


@given(st.text(alphabet="ab_-%!.", min_size=1, max_size=12), st.text(alphabet="ab_-%!.", min_size=1, max_size=12))
def test_the_condition_and_the_question_agree(domain: str, name: str) -> None:
    """What SQL finds is what ``owns`` says, also for names with the wildcards of LIKE in them."""
    for client in (Client(DomainName(domain)), replace(EVERY, domain=DomainName(domain), below=False)):
        where, values = client.where("name")
        with sqlite3.connect(":memory:") as connection:
            connection.execute("CREATE TABLE t (name TEXT)")
            connection.execute("INSERT INTO t VALUES (?)", (name,))
            found = connection.execute(f"SELECT COUNT(*) FROM t WHERE {where}", values).fetchone()[0]
        connection.close()
        assert bool(found) == client.owns(name)
