"""The bare floor: the least that a program can do that puts what it reads into the same kind of database as we do.

E-mail parser (compat32), base64, gunzip or unzip, expat, SQLite with WAL and ``synchronous=FULL``. Stored are, for each
report, one row with the texts of its head joined by tabulators, and for each record a row with its report's number, its
own, its first five texts (source, count, disposition, DKIM, SPF) and all others joined by tabulators. There are as many
mails in one transaction as in ours.

No bounds, no repair, no defects, no check of any value, no keys looked up, no mail kept, no sums, no index.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from io import BytesIO
from typing import Any
from xml.parsers.expat import ParserCreate
from zipfile import ZipFile
from zlib import decompress

from bench.ways import Job, Trip, in_transactions, mails_in

_TABLES = (
    "CREATE TABLE report (id INTEGER PRIMARY KEY, head)",
    "CREATE TABLE record (report, n, a, b, c, d, e, f, PRIMARY KEY (report, n)) WITHOUT ROWID",
)


@contextmanager
def bare_floor(job: Job) -> Iterator[Trip]:
    """Store what is in the mails."""
    connection = sqlite3.connect(job.place / "floor.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    for table in _TABLES:
        connection.execute(table)

    def work() -> None:
        number = 0
        reports = (_leaves_of(_unpacked(mail)) for mail in mails_in(job.mails))
        for batch in in_transactions(reports, lambda report: len(report[1])):
            connection.execute("BEGIN IMMEDIATE")
            for head, records in batch:
                number += 1
                connection.execute("INSERT INTO report VALUES (?, ?)", (number, "\t".join(head)))
                rows = ((number, n, *row[:5], "\t".join(row[5:])) for n, row in enumerate(records))
                connection.executemany("INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
            connection.execute("COMMIT")

    yield Trip(work, lambda: connection.execute("SELECT COUNT(*) FROM record").fetchone()[0])
    connection.close()


def _unpacked(mail: bytes) -> bytes:
    for part in message_from_bytes(mail).walk():
        data: Any = part.get_payload(decode=True)
        if data and data.startswith(b"\x1f\x8b"):
            return decompress(data, 31)
        if data and data.startswith(b"PK"):
            archive = ZipFile(BytesIO(data))
            return archive.read(archive.namelist()[0])
    raise ValueError("no report")


def _leaves_of(xml: bytes) -> tuple[list[str], list[list[str]]]:
    """The texts of the head, and those of each record."""
    head: list[str] = []
    records: list[list[str]] = []
    texts: list[str] = []
    row = head

    def start(name: str, _: object) -> None:
        nonlocal row
        texts.clear()
        if name == "record":
            row = []
            records.append(row)

    def end(_: str) -> None:
        if texts:
            row.append("".join(texts))
            texts.clear()

    parser = ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = texts.append
    parser.Parse(xml, True)
    return head, records
