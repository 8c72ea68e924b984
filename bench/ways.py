"""The ways from mails to reports that are measured against each other, each in a process of its own.

``python -m bench.ways WAY FOLDER [MORE]`` reads the name of a folder of mails per line, does the work for all of them
once and answers with a line of JSON. It runs under our interpreter or, for parsedmarc, under that of ``.venv-bench``.
Reading the files of the folder, which the system has in memory, is part of what is timed; starting the process, opening
the database and making its tables are not.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, AsyncExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from mailguard.feedback.envelope import ReceivedMail
    from mailguard.inquiry import Answer, Question
    from mailguard.spool import Shelf
    from mailguard.store import Filed, Reader
    from mailguard.trust.grade import Grade
    from mailguard.worker.handling import Handler

MAILS_AT_ONCE: Final = 256
RECORDS_AT_ONCE: Final = 20_000
"""What one transaction holds: as much as our filer puts into one (``mailguard/worker/filer.py``)."""

PROCESSES: Final = 2
"""That read, where several do: what ``mailguard serve`` starts unless told otherwise."""

RECEIVED_AT: Final = 1_790_200_000


@dataclass(frozen=True, slots=True)
class Job:
    """A folder of mails, an empty folder for what is made of them, and whatever the way was told beside."""

    mails: Path
    place: Path
    more: str = ""

    @property
    def database(self) -> str:
        """The URL of a new PostgreSQL database on the server that the way was told of."""
        return new_database(self.more, self.place.name.replace("-", "_"))


def new_database(server: str, name: str) -> str:
    """Make a database on a server, which is named by the URL of its database ``postgres``; the URL of the new one."""
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    return server.replace("/postgres?", f"/{name}?")


@dataclass(frozen=True, slots=True)
class Trip:
    """``work`` does everything for the mails of a job, and only this is timed; ``count`` says how many records then
    are where they belong."""

    work: Callable[[], None]
    count: Callable[[], int]


Way = Callable[[Job], AbstractContextManager[Trip]]
"""Opens whatever is needed."""

T = TypeVar("T")


def mails_in(folder: Path) -> Iterator[bytes]:
    """The files of a folder, in the order of their names."""
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as file:
            yield file.read()


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


def stored_in(store: Reader, grade: Grade) -> int:
    """How many records there are of reports of this grade."""
    sql = "SELECT COUNT(*) FROM record JOIN report ON report.id = record.report_id WHERE report.grade = ?"
    ((count,),) = store.database.rows(sql, (grade.value,))
    return int(count)


@contextmanager
def stores(job: Job, database: str = "") -> Iterator[Trip]:
    """Ours in one process: what a reading process and the filer do, without the wire between them; no trust check."""
    from mailguard.feedback.mail import read_mail
    from mailguard.store import open_store
    from mailguard.trust.grade import Grade
    from mailguard.worker.judging import Judge

    judge = Judge(None)
    with open_store(database or job.place / "mailguard.db") as store:

        def work() -> None:
            filed = (judge.file(mail, read_mail(mail.raw), None) for mail in map(received, mails_in(job.mails)))
            for batch in in_transactions(filed, records_of):
                store.add(batch)

        yield Trip(work, lambda: stored_in(store, Grade.UNVERIFIED))


@contextmanager
def stores_in_postgresql(job: Job) -> Iterator[Trip]:
    """The same with PostgreSQL."""
    with stores(job, job.database) as trip:
        yield trip


@contextmanager
def checks_and_stores(job: Job) -> Iterator[Trip]:
    """Ours in one process with the trust check (SPF, DKIM, DMARC); DNS answers come from memory at once."""
    from mailguard.feedback.mail import read_mail
    from mailguard.inquiry import run
    from mailguard.names import DomainName
    from mailguard.store import open_store
    from mailguard.trust.authenticate import authenticate
    from mailguard.trust.grade import Grade
    from mailguard.trust.judge import Owned
    from mailguard.worker.judging import Judge

    zone = MemoryZone(json.loads(Path(job.more).read_text("utf-8")))
    judge = Judge(Owned(frozenset((DomainName("clinic.example.jp"),))))

    def filed(raw: bytes) -> Filed:
        mail = received_by_smtp(raw)
        return judge.file(mail, read_mail(raw), run(authenticate(mail), zone))

    with open_store(job.place / "mailguard.db") as store:

        def work() -> None:
            for batch in in_transactions(map(filed, mails_in(job.mails)), records_of):
                store.add(batch)

        yield Trip(work, lambda: stored_in(store, Grade.VERIFIED))


@contextmanager
def works_off_a_spool(job: Job, together: int = 1) -> Iterator[Trip]:
    """Ours as the daemon does it after the 250: from files of the spool, through two reading processes that run
    already, into the store, the files removed. No trust check.

    ``together`` mails lie in each file: one when mails come singly, more when the listener is busy.
    """
    from mailguard.spool import Shelf
    from mailguard.store import open_reader
    from mailguard.trust.grade import Grade

    shelf = Shelf(job.place / "spool")
    shelf.prepare()
    with asyncio.Runner() as runner, _handler_in(runner, job) as handler:
        mails = [received(mail) for mail in mails_in(job.mails)]
        for at in range(0, len(mails), together):
            shelf.put(mails[at : at + together])
        with open_reader(job.place / "mailguard.db") as store:
            work = partial(_work_off, shelf, handler, len(mails))
            yield Trip(lambda: runner.run(work()), lambda: stored_in(store, Grade.UNVERIFIED))


async def _work_off(shelf: Shelf, handler: Handler, count: int) -> None:
    from mailguard.worker.worker import Worker

    stop = asyncio.Event()
    left = count

    def told(_: object) -> None:
        nonlocal left
        left -= 1
        if not left:
            stop.set()

    await Worker(shelf, handler, told=told).run(stop)


def make_database(path: Path) -> None:
    """In a process of its own: a daemon makes its tables on its first day, and what that loads stays in memory."""
    making = "import sys; from mailguard.store import open_store; open_store(sys.argv[1]).close()"
    subprocess.run([sys.executable, "-c", making, str(path)], check=True)


@contextmanager
def _handler_in(runner: asyncio.Runner, job: Job) -> Iterator[Handler]:
    """What the daemon handles mails with, started."""
    from bench.mails import make_mails
    from mailguard.store import open_store
    from mailguard.worker.filer import Filer
    from mailguard.worker.handling import Handler
    from mailguard.worker.judging import Judge
    from mailguard.worker.readers import Readers
    from mailguard.worker.wire import ReadingSettings

    stack = AsyncExitStack()
    make_database(job.place / "mailguard.db")

    async def start() -> Handler:
        filer = await stack.enter_async_context(Filer(lambda: open_store(job.place / "mailguard.db")))
        readers = await stack.enter_async_context(Readers(ReadingSettings(), processes=PROCESSES, gate=filer.has_room))
        await filer.ready()
        await asyncio.gather(*(readers.read(received(mail)) for mail in make_mails(30 * PROCESSES, 10)))
        return Handler(readers=readers, filer=filer, judge=Judge(None))

    yield runner.run(start())
    runner.run(stack.aclose())


@contextmanager
def works_off_a_full_spool(job: Job) -> Iterator[Trip]:
    """The same, 20 mails in each file."""
    with works_off_a_spool(job, 20) as trip:
        yield trip


def elsewhere(module: str, name: str) -> Way:
    """A way that stands in another module, which is imported only when it is gone."""

    def way(job: Job) -> AbstractContextManager[Trip]:
        found: AbstractContextManager[Trip] = getattr(import_module(f"bench.{module}"), name)(job)
        return found

    return way


WAYS: Final[dict[str, Way]] = {
    "parsedmarc": elsewhere("ways_peer", "parses"),
    "parsedmarc-lean": elsewhere("ways_peer", "parses_lean"),
    "parsedmarc-processes": elsewhere("ways_peer", "parses_in_processes"),
    "parsedmarc-postgresql": elsewhere("ways_peer", "stores_in_postgresql"),
    "ours": stores,
    "ours-trust": checks_and_stores,
    "ours-worker": works_off_a_spool,
    "ours-worker-busy": works_off_a_full_spool,
    "ours-postgresql": stores_in_postgresql,
    "floor": elsewhere("ways_floor", "bare_floor"),
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
    now = int(time.time())  # the mails were signed a moment ago; signatures from the future are not even looked at
    return ReceivedMail(raw, now, Signer.CLIENT, f"bounce@{sender}", ("dmarc@clinic.example.jp",), f"mta.{sender}")


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


def cpu_s() -> float:
    """CPU seconds so far of this process and of all that it has started."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    ended = sum(usage.ru_utime + usage.ru_stime for usage in usages)
    return ended + sum(map(_cpu_s_of, living_children(os.getpid())))


def peaks_mb() -> list[float]:
    """The most memory that this process has held so far, and each that it has started and that runs."""
    return [peak_mb(pid) for pid in (os.getpid(), *living_children(os.getpid()))]


def peak_mb(pid: int) -> float:
    """The most memory that a process has held in its life. Not ``ru_maxrss``, which it inherits from its parent."""
    found = re.search(r"VmHWM:\s+([0-9]+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def living_children(pid: int) -> list[int]:
    """The processes that a process has started and that run."""
    text = "".join(path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children"))
    children = [int(word) for word in text.split()]
    return children + [grandchild for child in children for grandchild in living_children(child)]


def _cpu_s_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main(name: str, folder: str, more: str = "") -> None:
    """Work until standard input ends."""
    for turn, line in enumerate(sys.stdin):
        place = Path(folder) / f"{name}-{turn}"
        place.mkdir()
        with WAYS[name](Job(Path(line.rstrip("\n")), place, more)) as trip:
            gc.collect()
            before = peaks_mb()
            wall, cpu = time.perf_counter(), cpu_s()
            trip.work()
            wall, cpu = time.perf_counter() - wall, cpu_s() - cpu
            figures = {"wall_s": wall, "cpu_s": cpu, "before_mb": before, "peaks_mb": peaks_mb()}
            print(json.dumps({**figures, "records": trip.count()}), flush=True)


if __name__ == "__main__":
    # Not under the name __main__: the other modules of ways import this one.
    import_module("bench.ways").main(*sys.argv[1:])
