"""parsedmarc's ways. They run under the interpreter of ``.venv-bench`` and use its library as its command line does.

It is offline and looks nothing up in DNS. For each source address it still asks the country database in its package,
which it has no switch for; "lean" takes that away from it, so that what is left is reading mails and XML alone. What it
remembers of addresses and reports stays from turn to turn.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import parsedmarc
import psycopg
from parsedmarc import parallel
from parsedmarc.config import ParserConfig

from bench.ways import PROCESSES, Job, Trip, mails_in

_CONFIG = ParserConfig(offline=True, always_use_local_files=True)


def _read(mail: bytes) -> Any:
    return parsedmarc.parse_report_email(mail, config=_CONFIG)["report"]


@contextmanager
def parses(job: Job) -> Iterator[Trip]:
    """Parsing alone; what comes out is thrown away."""

    records = 0

    def work() -> None:
        nonlocal records
        for mail in mails_in(job.mails):
            records += len(_read(mail)["records"])

    yield Trip(work, lambda: records)


@contextmanager
def parses_lean(job: Job) -> Iterator[Trip]:
    """Parsing without what it finds out about source addresses."""
    found = {"country": None, "reverse_dns": None, "base_domain": None, "name": None, "type": None}
    asked = parsedmarc.get_ip_address_info
    parsedmarc.get_ip_address_info = lambda address, **_: {"ip_address": address, **found}
    try:
        with parses(job) as trip:
            yield trip
    finally:
        parsedmarc.get_ip_address_info = asked


class _Pool:
    """Its own job in processes that live on, which saves it starting them anew for each batch of mails."""

    executor: ProcessPoolExecutor | None = None


@contextmanager
def parses_in_processes(job: Job) -> Iterator[Trip]:
    """Parsing in as many processes as ours, which have started before the clock does."""
    read = partial(parallel._parse_report_email_job, config=_CONFIG)
    if _Pool.executor is None:
        _Pool.executor = ProcessPoolExecutor(PROCESSES)
    executor = _Pool.executor

    records = 0

    def work() -> None:
        nonlocal records
        for found in executor.map(read, mails_in(job.mails), chunksize=8):
            records += len(found["report"]["records"])

    yield Trip(work, lambda: records)


@contextmanager
def stores_in_postgresql(job: Job) -> Iterator[Trip]:
    """Parsing and its PostgreSQL output: one transaction for each report, the only way it has."""
    from parsedmarc.postgres import PostgreSQLClient

    database = job.database
    client = PostgreSQLClient(database)
    client.create_tables()

    def count() -> int:
        with psycopg.connect(database) as connection:
            ((records,),) = connection.execute("SELECT COUNT(*) FROM dmarc_aggregate_record")
            return int(records)

    def work() -> None:
        for mail in mails_in(job.mails):
            client.save_aggregate_report_to_postgresql(_read(mail))

    yield Trip(work, count)
    client.close()
