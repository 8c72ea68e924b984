"""The ways from mails to reports that are measured against each other, each in a process of its own.

``python -m bench.ways WAY FOLDER [URL]`` reads the name of a file of mails per line, does the work for all of them once
and answers with a line of JSON. It runs under our interpreter or, for parsedmarc, under that of ``.venv-bench``.
"""

from __future__ import annotations

import gc
import json
import pickle
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from mailguard.feedback.envelope import ReceivedMail
    from mailguard.inquiry import Answer, Question
    from mailguard.store import Filed

MAILS_AT_ONCE: Final = 256
RECORDS_AT_ONCE: Final = 20_000
"""What one transaction holds: as much as our filer puts into one (``mailguard/worker/filer.py``)."""

RECEIVED_AT: Final = 1_790_200_000

Work = Callable[[list[bytes]], None]
"""Does everything for these mails. Only this is timed."""

Begin = Callable[[Path], AbstractContextManager[Work]]
"""Opens whatever is needed; what is stored goes into this folder, which is empty."""


T = TypeVar("T")


def in_transactions(mails: Iterable[T], records_of: Callable[[T], int]) -> Iterator[list[T]]:
    """Mails that have been read, as many at a time as go into one transaction."""
    batch: list[T] = []
    records = 0
    for mail in mails:
        batch.append(mail)
        records += records_of(mail)
        if len(batch) >= MAILS_AT_ONCE or records >= RECORDS_AT_ONCE:
            yield batch
            batch, records = [], 0
    if batch:
        yield batch


def records_of(filed: Filed) -> int:
    """How many records a mail brought."""
    return sum(len(report.records) for report in filed.contents.reports)


def parsedmarc_parses(_: str) -> Begin:
    """parsedmarc's parser, offline; what it looks up about addresses is in its cache from the second time on."""
    from parsedmarc import parse_report_email
    from parsedmarc.config import ParserConfig

    config = ParserConfig(offline=True, always_use_local_files=True)

    def work(mails: list[bytes]) -> None:
        for mail in mails:
            parse_report_email(mail, config=config)

    return lambda _: nullcontext(work)


def parsedmarc_parses_in_processes(_: str) -> Begin:
    """The same in two processes, as its command line does it with ``n_procs = 2``."""
    from functools import partial

    from parsedmarc import parallel
    from parsedmarc.config import ParserConfig

    job = partial(parallel._parse_report_email_job, config=ParserConfig(offline=True, always_use_local_files=True))

    def work(mails: list[bytes]) -> None:
        for _ in parallel.parallel_map(job, mails, 2):
            pass

    return lambda _: nullcontext(work)


def parsedmarc_stores(url: str) -> Begin:
    """parsedmarc with its PostgreSQL output, as its command line uses it: one transaction per report."""
    from parsedmarc import parse_report_email
    from parsedmarc.config import ParserConfig
    from parsedmarc.postgres import PostgreSQLClient

    client = PostgreSQLClient(url)
    client.create_tables()
    config = ParserConfig(offline=True, always_use_local_files=True)

    def work(mails: list[bytes]) -> None:
        for mail in mails:
            report: Any = parse_report_email(mail, config=config)
            client.save_aggregate_report_to_postgresql(report["report"])

    return lambda _: nullcontext(work)


def stores(_: str, url: str = "") -> Begin:
    """Ours in one process: what a reading process and the filer do, without the wire between them; no trust check."""
    from mailguard.feedback.mail import read_mail
    from mailguard.store import open_store
    from mailguard.worker.judging import Judge

    judge = Judge(None)

    @contextmanager
    def begin(folder: Path) -> Iterator[Work]:
        with open_store(url or folder / "mailguard.db") as store:

            def work(mails: list[bytes]) -> None:
                filed = (judge.file(mail, read_mail(mail.raw), None) for mail in map(received, mails))
                for batch in in_transactions(filed, records_of):
                    store.add(batch)

            yield work

    return begin


def stores_in_postgresql(url: str) -> Begin:
    """The same with PostgreSQL."""
    return stores("", url)


def checks_and_stores(zone_file: str) -> Begin:
    """Ours in one process with the trust check, the keys answered from memory."""
    from mailguard.feedback.mail import read_mail
    from mailguard.inquiry import run
    from mailguard.names import DomainName
    from mailguard.store import open_store
    from mailguard.trust.authenticate import authenticate
    from mailguard.trust.judge import Owned
    from mailguard.worker.judging import Judge

    zone = MemoryZone(json.loads(Path(zone_file).read_text("utf-8")))
    judge = Judge(Owned(frozenset((DomainName("clinic.example.jp"),))))

    def filed(raw: bytes) -> Filed:
        mail = received_by_smtp(raw)
        return judge.file(mail, read_mail(raw), run(authenticate(mail), zone))

    @contextmanager
    def begin(folder: Path) -> Iterator[Work]:
        with open_store(folder / "mailguard.db") as store:

            def work(mails: list[bytes]) -> None:
                for batch in in_transactions(map(filed, mails), records_of):
                    store.add(batch)

            yield work

    return begin


def ingests(_: str) -> Begin:
    """Ours as ``mailguard ingest`` does it: two reading processes, one that stores; no trust check."""
    import asyncio

    from mailguard.store import open_store
    from mailguard.worker.ingest import IngestSettings, ingest

    @contextmanager
    def begin(folder: Path) -> Iterator[Work]:
        place = folder / "mailguard.db"
        open_store(place).close()

        async def all_of_them(mails: list[bytes]) -> None:
            async for _ in ingest(map(received, mails), lambda: open_store(place), IngestSettings()):
                pass

        yield lambda mails: asyncio.run(all_of_them(mails))

    return begin


def bare_floor(_: str) -> Begin:
    """The least that a program can do that puts what it reads into the same kind of database as we do.

    No bounds, no repair, no defects, no keys looked up, no raw mail kept, no sums, no indexes.
    """
    import sqlite3
    from email import message_from_bytes
    from io import BytesIO
    from xml.parsers.expat import ParserCreate
    from zipfile import ZipFile
    from zlib import decompress

    def unpacked(mail: bytes) -> bytes:
        for part in message_from_bytes(mail).walk():
            data: Any = part.get_payload(decode=True)
            if data and data.startswith(b"\x1f\x8b"):
                return decompress(data, 31)
            if data and data.startswith(b"PK"):
                archive = ZipFile(BytesIO(data))
                return archive.read(archive.namelist()[0])
        raise ValueError("no report")

    def leaves_of(xml: bytes) -> tuple[list[str], list[list[str]]]:
        parser, head, records, texts = ParserCreate(), [""], [], [""]
        parser.buffer_text = True
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

        parser.StartElementHandler, parser.EndElementHandler = start, end
        parser.CharacterDataHandler = texts.append
        parser.Parse(xml, True)
        return head, records

    @contextmanager
    def begin(folder: Path) -> Iterator[Work]:
        connection = sqlite3.connect(folder / "floor.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE report (id INTEGER PRIMARY KEY, head)")
        connection.execute("CREATE TABLE record (report, n, a, b, c, d, e, f, PRIMARY KEY (report, n)) WITHOUT ROWID")

        def work(mails: list[bytes]) -> None:
            number = 0
            reports = (leaves_of(unpacked(mail)) for mail in mails)
            for batch in in_transactions(reports, lambda report: len(report[1])):
                connection.execute("BEGIN IMMEDIATE")
                for head, records in batch:
                    number += 1
                    connection.execute("INSERT INTO report VALUES (?, ?)", (number, "\t".join(head)))
                    rows = ((number, n, *row[:5], "\t".join(row[5:])) for n, row in enumerate(records))
                    connection.executemany("INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
                connection.execute("COMMIT")

        yield work
        connection.close()

    return begin


WAYS: Final[dict[str, Callable[[str], Begin]]] = {
    "parsedmarc": parsedmarc_parses,
    "parsedmarc-processes": parsedmarc_parses_in_processes,
    "parsedmarc-postgresql": parsedmarc_stores,
    "ours": stores,
    "ours-trust": checks_and_stores,
    "ours-processes": ingests,
    "ours-postgresql": stores_in_postgresql,
    "floor": bare_floor,
}


def received(raw: bytes) -> ReceivedMail:
    """A mail out of a file."""
    from mailguard.feedback.envelope import ReceivedMail, Way

    return ReceivedMail(raw, RECEIVED_AT, way=Way.FILE)


def received_by_smtp(raw: bytes) -> ReceivedMail:
    """A mail that our listener took, from a client that its sender's SPF allows."""
    from bench.mails import Signer
    from mailguard.feedback.envelope import ReceivedMail

    sender = Signer.sender(raw)
    return ReceivedMail(
        raw, RECEIVED_AT, Signer.CLIENT, f"bounce@{sender}", ("dmarc@clinic.example.jp",), f"mta.{sender}"
    )


class MemoryZone:
    """Answers questions about TXT records at once."""

    def __init__(self, texts: dict[str, str]) -> None:
        from mailguard.inquiry import Txt
        from mailguard.names import name

        self._records = {name(owner): Txt((text.encode(),)) for owner, text in texts.items()}

    def __call__(self, question: Question) -> Answer:
        from mailguard.inquiry import Answer, Status

        found = self._records.get(question.name)
        if found is None:
            return Answer(question, Status.NXDOMAIN, rcode=3)
        return Answer(question, Status.DATA, (found,), ttl_s=3600, rcode=0)


def main(way: str, folder: str, more: str = "") -> None:
    """Work until standard input ends."""
    begin = WAYS[way](more)
    for turn, line in enumerate(sys.stdin):
        mails = pickle.loads(Path(line.rstrip("\n")).read_bytes())
        place = Path(folder) / f"{way}-{turn}"
        place.mkdir()
        with begin(place) as work:
            gc.collect()
            wall, cpu = time.perf_counter(), time.process_time()
            work(mails)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        print(json.dumps({"wall_s": wall, "cpu_s": cpu}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
