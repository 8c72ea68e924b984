"""How fast reports are put away, beside the bare driver: ``python -m tests.store.measure [folder]``.

The floor writes the same mails, report heads and records with ``executemany`` into tables with the same primary keys
and adds the same two daily sums, on SQLite WAL with ``synchronous=FULL``: no keys looked up, no indexes, no packing,
nothing decided. ``rows`` is the floor without sums. Reading the mails is not measured here.
"""

from __future__ import annotations

import resource
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from mailguard.feedback.mail import read_mail
from mailguard.store import Filed, open_store
from mailguard.store.encode import record_rows, report_row
from mailguard.store.statements import COLUMNS, insert
from mailguard.trust.grade import Grade, Trust
from tests.feedback.mails import METADATA, gzipped_mail
from tests.feedback.mails import record as record_xml
from tests.feedback.mails import report as report_xml
from tests.store.samples import VERIFIED, filed_as

SHAPES = [(records, batch) for records in (1, 10, 100) for batch in (1, 20, 50)]
SECONDS = 1.0
SUMS = {
    "days": "policy_domain, day, grade, reporter, disposition, dkim, spf",
    "sources": "policy_domain, day, grade, reporter, source_ip",
}


def mails(records: int) -> Iterator[bytes]:
    """Mails of one report each, about days and sources that recur as real ones do."""
    number = 0
    while True:
        number += 1
        rows = [record_xml(f"192.0.{n // 250}.{n % 250 + 1}", n % 7 + 1) for n in range(number, number + records)]
        begin = 1_790_000_000 + number % 30 * 86_400
        metadata = METADATA.replace("r-1", f"r-{number}").replace("1790000000", str(begin))
        yield gzipped_mail(report_xml(*rows, metadata=metadata))


def prepared(records: int, count: int) -> list[Filed]:
    source = mails(records)
    reporters = [Trust(Grade.VERIFIED, f"reporter{n}.example") for n in range(5)]
    raws = [next(source) for _ in range(count)]
    return [filed_as(raw, read_mail(raw), reporters[n % 5]) for n, raw in enumerate(raws)]


def timed(work: Callable[[list[Filed]], object], all_filed: list[Filed], batch: int) -> float:
    """Mails a second."""
    done, begun = 0, time.perf_counter()
    for at in range(0, len(all_filed), batch):
        work(all_filed[at : at + batch])
        done += len(all_filed[at : at + batch])
        if time.perf_counter() - begun > SECONDS:
            break
    return done / (time.perf_counter() - begun)


class Floor:
    """The bare driver."""

    def __init__(self, path: Path, *, sums: bool) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = FULL")
        for table in ("mail", "report"):
            columns = ", ".join(name for name in COLUMNS[table] if name != "id")
            self.connection.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, {columns})")
        keyed = {"record": (", ".join(COLUMNS["record"]), "report_id, n")}
        keyed |= {table: (f"{keys}, amount", keys) for table, keys in SUMS.items()}
        for table, (columns, key) in keyed.items():
            self.connection.execute(f"CREATE TABLE {table} ({columns}, PRIMARY KEY ({key})) WITHOUT ROWID")
        self.last = 0
        self.sums = sums

    def add(self, batch: list[Filed]) -> None:
        first = self.last + 1
        self.last += len(batch)
        execute = self.connection.executemany
        self.connection.execute("BEGIN IMMEDIATE")
        mails = [(n, b"", 0, "", "", "", "", "", "", "", 0, "", one.mail.raw) for n, one in enumerate(batch, first)]
        execute(insert("mail"), mails)
        reports = [(number, one.contents.reports[0]) for number, one in enumerate(batch, first)]
        execute(insert("report"), [report_row(n, n, b"", report, VERIFIED) for n, report in reports])
        for n, report in reports:
            execute(insert("record"), record_rows(n, report.records))
        if self.sums:
            self.add_up(batch)
        self.connection.execute("COMMIT")

    def add_up(self, batch: list[Filed]) -> None:
        found: dict[str, Counter[tuple[object, ...]]] = {"days": Counter(), "sources": Counter()}
        for filed in batch:
            report = filed.contents.reports[0]
            key = (report.policy.domain, report.begin // 86_400, "verified", filed.trusts[0].domain)
            for one in report.records:
                found["days"][(*key, one.said.disposition._value_, one.said.dkim._value_, one.said.spf._value_)] += (
                    one.count
                )
                found["sources"][(*key, one.source_ip)] += one.count
        for table, amounts in found.items():
            self.connection.executemany(upsert(table), ((*key, amount) for key, amount in amounts.items()))


def upsert(table: str) -> str:
    keys = SUMS[table]
    values = ", ".join("?" * (keys.count(",") + 2))
    grown = "amount = amount + excluded.amount"
    return f"INSERT INTO {table} ({keys}, amount) VALUES ({values}) ON CONFLICT ({keys}) DO UPDATE SET {grown}"


def mails_a_second(kind: str, path: Path, all_filed: list[Filed], batch: int) -> int:
    if kind == "store":
        with open_store(path) as store:
            return int(timed(store.add, all_filed, batch))
    floor = Floor(path, sums=kind == "floor")
    try:
        return int(timed(floor.add, all_filed, batch))
    finally:
        floor.connection.close()


def main(folder: Path) -> None:
    print(" records  batch   mails/s    rows/s     floor  times      rows  times")
    enough = {records: prepared(records, count) for records, count in ((1, 6000), (10, 3000), (100, 600))}
    for records, batch in SHAPES:
        best: Counter[str] = Counter()
        for turn in range(3):
            for kind in ("rows", "floor", "store"):
                path = folder / f"{kind}-{records}-{batch}-{turn}"
                best[kind] = max(best[kind], mails_a_second(kind, path, enough[records], batch))
        ours = best["store"]
        print(
            f"{records:8} {batch:6} {ours:9,} {ours * records:9,} "
            f"{best['floor']:9,} {best['floor'] / ours:6.2f} {best['rows']:9,} {best['rows'] / ours:6.2f}"
        )
    large(folder)


def large(folder: Path) -> None:
    """A report of 100,000 records from as many sources, read and stored."""
    raw = gzipped_mail(
        report_xml("".join(record_xml(f"2001:db8::{n >> 16:x}:{n & 65535:x}", 1) for n in range(100_000)))
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = time.perf_counter()
    contents = read_mail(raw)
    read = time.perf_counter() - begun
    after_reading = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with open_store(folder / "large") as store:
        begun = time.perf_counter()
        store.add([filed_as(raw, contents, VERIFIED)])
        stored = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    reading, storing = (after_reading - before) // 1024, (after - after_reading) // 1024
    print(f"{len(contents.reports[0].records):,} records: read in {read:.2f} s, stored in {stored:.2f} s")
    print(f"peak memory grew by {reading} MB while reading and {storing} MB while storing")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as folder:
        main(Path(folder))
