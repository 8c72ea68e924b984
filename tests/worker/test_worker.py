"""From the spool to the store, with real processes and a real database."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from mailguard.errors import OperationError
from mailguard.feedback.envelope import ReceivedMail, Way
from mailguard.feedback.mail import read_mail
from mailguard.names import DomainName
from mailguard.resolver import NameServer, Resolver, ResolverSettings
from mailguard.spool import Reason, Shelf
from mailguard.store import Store, open_reader, open_store
from mailguard.trust.grade import Grade, Trust
from mailguard.trust.judge import Owned
from mailguard.trust.token import ReportAddresses
from mailguard.worker.filer import Filer
from mailguard.worker.handling import Handled, Handler, MailOutcome
from mailguard.worker.judging import Judge
from mailguard.worker.later import Later
from mailguard.worker.quotas import BoundedQuarantine
from mailguard.worker.readers import Readers
from mailguard.worker.reasons import sentence_of
from mailguard.worker.tries import Tries
from mailguard.worker.wire import ReadingSettings
from mailguard.worker.worker import Worker, WorkerSettings
from tests.trust.test_judge import sent_by
from tests.worker.mails import FAILURE_REPORT, NOW, ORDINARY, UNREADABLE, poison, report_mail
from tests.worker.until import until

OURS = Owned(frozenset((DomainName("example.jp"),)))


class House:
    """A spool, a database and a worker over them."""

    def __init__(self, folder: Path) -> None:
        self.shelf = Shelf(folder / "spool")
        self.shelf.prepare()
        self.database = folder / "reports.db"
        self.later = Later(folder / "spool" / "later", now=lambda: NOW)
        self.handled: list[Handled] = []
        self.reading = ReadingSettings()

    @asynccontextmanager
    async def worker(self, resolver: Resolver | None = None, mail_s: float = 20.0) -> AsyncIterator[Worker]:
        async with (
            Filer(lambda: open_store(self.database)) as filer,
            Readers(self.reading, mail_s=mail_s, gate=filer.has_room, program="tests.worker.poisoned_child") as readers,
        ):
            handler = Handler(
                readers=readers,
                filer=filer,
                judge=Judge(OURS),
                resolver=resolver,
                quarantine=BoundedQuarantine(self.shelf, 0).keep,
                later=self.later,
                tries=Tries(self.shelf.path / "tries.json"),
                now=lambda: self.later._now(),
            )
            settings = WorkerSettings(files=10)
            yield Worker(self.shelf, handler, settings, told=self.handled.append, look_every_s=0.05)

    async def work(self, resolver: Resolver | None = None, mail_s: float = 20.0) -> list[str]:
        """Work off everything; what became of the mails, sorted."""
        self.handled.clear()
        async with self.worker(resolver, mail_s) as worker:
            await worker.empty()
        return sorted(handled.outcome for handled in self.handled)

    def reports(self) -> list[str]:
        with open_reader(self.database) as reader:
            return sorted(row.report_id for row in reader.list_reports(limit=1000))

    def quarantine(self) -> list[str]:
        return [str(sentence_of(entry.reason)) for entry in self.shelf.list_quarantine()]

    @property
    def is_empty(self) -> bool:
        return self.shelf.waiting().files == 0


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


async def test_mails_become_reports_and_leave_the_spool(house: House) -> None:
    house.shelf.put([report_mail("a"), report_mail("b")])
    house.shelf.put([report_mail("c", records=5)])
    assert await house.work() == ["stored"] * 3
    assert house.reports() == ["a", "b", "c"]
    assert house.is_empty


async def test_the_same_mail_again_changes_nothing(house: House) -> None:
    house.shelf.put([report_mail("a")])
    await house.work()
    house.shelf.put([report_mail("a"), report_mail("a", way=Way.MAILBOX)])
    assert await house.work() == ["duplicate"] * 2
    assert house.reports() == ["a"]


@pytest.mark.parametrize("kind", ["crash", "grow", "raise", "exit", "hang"])
async def test_a_poison_mail_has_three_tries_and_the_others_are_stored(house: House, kind: str) -> None:
    house.shelf.put([report_mail("a"), poison(kind), report_mail("b")])
    mail_s = 2.0 if kind == "hang" else 20.0
    assert await house.work(mail_s=mail_s) == ["quarantined", "stored", "stored"]
    assert house.reports() == ["a", "b"]
    (reason,) = house.quarantine()
    assert reason.startswith(("Reading this mail ", "mailguard itself failed"))
    assert house.is_empty


async def test_tries_are_counted_across_lives(house: House) -> None:
    mail = poison("crash")
    Tries(house.shelf.path / "tries.json").note(mail.digest, 2)
    house.shelf.put([mail])
    assert await house.work() == ["quarantined"]
    assert not Tries(house.shelf.path / "tries.json").any


async def test_a_mail_that_ends_us_three_times_goes_to_quarantine(house: House) -> None:
    bad = report_mail("ends us")
    house.shelf.put([report_mail("a"), bad])
    for _ in range(3):  # claimed, and then nobody was there any more
        assert house.shelf.claim()
        house.shelf.recover()
    Tries(house.shelf.path / "tries.json").note(bad.digest, 3)  # what three lives have noted before they ended
    assert await house.work() == ["quarantined", "stored"]
    assert house.quarantine() == ["mailguard ended three times while it worked on this mail."]


async def test_an_innocent_mail_that_was_under_way_when_we_were_killed_is_stored(house: House) -> None:
    house.shelf.put([report_mail("a")])
    for _ in range(6):
        assert house.shelf.claim()
        house.shelf.recover()
    assert await house.work() == ["stored"]
    assert not Tries(house.shelf.path / "tries.json").any


async def test_what_cannot_be_read_is_in_quarantine_and_can_be_retried(house: House) -> None:
    house.shelf.put([UNREADABLE])
    assert await house.work() == ["quarantined"]
    (entry,) = house.shelf.list_quarantine()
    assert (entry.reason.id, entry.reason.fields["why"]) == ("nothing-readable", "doctype")
    house.shelf.retry(entry.id)
    assert await house.work() == ["quarantined"]
    assert len(house.quarantine()) == 1


async def test_nothing_of_a_failure_report_is_kept(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    house.shelf.put([FAILURE_REPORT])
    assert await house.work() == ["ignored"]
    assert house.is_empty
    assert house.quarantine() == []
    kept = b"".join(path.read_bytes() for path in house.shelf.path.parent.rglob("*") if path.is_file())
    for secret in (b"PATIENT", b"appointment", b"Secret"):
        assert secret not in kept
        assert secret.decode() not in caplog.text
    assert house.handled[0].contents is not None
    assert house.handled[0].contents.kind == "failure"


async def test_an_ordinary_mail_is_ignored(house: House) -> None:
    house.shelf.put([ORDINARY])
    assert await house.work() == ["ignored"]
    assert house.reports() == []
    assert house.quarantine() == []


async def test_a_damaged_file_gives_what_is_whole_and_is_kept(house: House) -> None:
    path = house.shelf.put([report_mail("a"), report_mail("b")])
    content = bytearray(path.read_bytes())
    content[-10] ^= 1
    path.write_bytes(content)
    assert await house.work() == ["stored"]
    assert house.reports() == ["a"]
    (entry,) = house.shelf.list_quarantine()
    assert entry.whole_file


async def test_mails_wait_in_the_spool_while_the_database_is_away(house: House) -> None:
    house.database.mkdir()  # where the file should be
    house.shelf.put([report_mail("a")])
    stop = asyncio.Event()
    async with house.worker() as worker:
        running = asyncio.create_task(worker.run(stop))
        await until(lambda: worker._handler.filer.away)
        stop.set()
        await running
    assert house.shelf.waiting().files == 1
    assert list(house.shelf.work.iterdir()) == []
    house.database.rmdir()
    assert await house.work() == ["stored"]


async def test_the_worker_takes_what_comes_until_it_is_stopped(house: House) -> None:
    stop = asyncio.Event()
    async with house.worker() as worker:
        running = asyncio.create_task(worker.run(stop))
        for number in range(30):
            house.shelf.put([report_mail(str(number))])
            worker.wake()
        await until(lambda: len(house.handled) == 30)
        stop.set()
        await running
    assert len(house.reports()) == 30
    assert house.is_empty


async def test_stopping_gives_back_what_is_under_way(house: House) -> None:
    house.shelf.put([poison("hang"), report_mail("a")])
    stop = asyncio.Event()
    async with house.worker() as worker:
        running = asyncio.create_task(worker.run(stop))
        await until(lambda: house.handled)
        stop.set()
        await asyncio.wait_for(running, 5)
    assert len(list(house.shelf.new.iterdir())) == 1
    assert list(house.shelf.work.iterdir()) == []


async def test_unanswered_dns_stores_the_report_unverified_and_checks_again(house: House) -> None:
    # Nobody listens on this port: each question is unanswered at once.
    settings = ResolverSettings(nameservers=(NameServer("127.0.0.1", 9),), timeout_s=0.3, attempts=1)
    house.shelf.put([signed_mail()])
    async with Resolver(settings) as resolver:
        assert await house.work(resolver) == ["stored"]
    assert house.handled[0].trusts[0].grade == "unverified"
    assert house.handled[0].trusts[0].reasons[0] == "could-not-be-checked"
    assert len(list((house.shelf.path / "later").iterdir())) == 1


async def test_mails_that_are_due_are_checked_again_and_leave(house: House) -> None:
    house.later.put(signed_mail(), 1)
    house.later._now = lambda: NOW + 700.0
    stop = asyncio.Event()
    async with house.worker() as worker:
        running = asyncio.create_task(worker.run(stop))
        await until(lambda: house.handled)
        await until(lambda: not list((house.shelf.path / "later").iterdir()))
        stop.set()
        await running
    assert house.handled[0].outcome is MailOutcome.STORED


async def test_quarantine_is_emptied_after_its_time(house: House) -> None:
    house.shelf.quarantine(report_mail("old"), Reason("for-a-test"))
    stop = asyncio.Event()
    async with house.worker() as worker:
        worker._now = lambda: 4e9
        running = asyncio.create_task(worker.run(stop))
        await until(lambda: not house.quarantine())
        stop.set()
        await running


def signed_mail() -> ReceivedMail:
    signature = (
        "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=reporter.example; s=key; h=from:subject;\r\n"
        " bh=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=; b=AAAA\r\n"
    )
    return report_mail("signed", header=signature)


async def test_being_stopped_while_being_woken_is_being_stopped(house: House) -> None:
    async with house.worker() as worker:
        for _ in range(200):
            stop = asyncio.Event()
            running = asyncio.create_task(worker.run(stop))
            await asyncio.sleep(0.002)
            worker.wake()  # in the same turn of the loop
            stop.set()
            await asyncio.wait_for(running, 5)


async def test_failure_reports_are_read_only_where_they_are_wanted(house: House) -> None:
    house.shelf.put([FAILURE_REPORT])
    assert await house.work() == ["ignored"]
    house.shelf.put([FAILURE_REPORT])
    house.reading = ReadingSettings(failure_reports=True)
    assert await house.work() == ["stored"]
    house.shelf.put([FAILURE_REPORT])
    assert await house.work() == ["duplicate"]
    with open_reader(house.database) as reader:
        (row,) = reader.list_failures()
        assert (row.reported_domain, row.auth_failure, row.source_ip) == ("example.jp", "dmarc", "192.0.2.1")
        shown = repr((reader.show_failure(row.id), reader.database.rows("SELECT * FROM mail")))
    assert not any(word in shown for word in ("PATIENT", "Secret", "appointment"))
    kept = b"".join(file.read_bytes() for file in house.database.parent.rglob("*") if file.is_file())
    assert b"Secret of a patient" not in kept


async def test_nothing_is_judged_before_it_is_known_who_reported_before(house: House) -> None:
    judge = Judge(OURS, awaits_past=True)
    opened: list[int] = []

    def opening() -> Store:
        opened.append(1)
        if len(opened) == 1:
            raise OperationError("The database is away.")
        store = open_store(house.database)
        judge.remember([("reporter.example", "reporter.example")])
        return store

    async def no_pause(seconds: float) -> None:
        await asyncio.sleep(0)

    async with Filer(opening, pause=no_pause) as filer, Readers(ReadingSettings(), processes=1) as readers:
        handler = Handler(readers=readers, filer=filer, judge=judge)
        handled = await asyncio.gather(*(handler.handle(report_mail(f"r-{number}")) for number in range(5)))
    assert [one.outcome for one in handled] == ["stored"] * 5
    assert (len(opened), judge.awaits_past) == (2, False)


def test_reporters_are_known_again_after_a_restart() -> None:
    proof = sent_by("reporter.example")
    mail = report_mail("a")
    contents = read_mail(mail.raw)
    first = Judge(OURS).file(mail, contents, proof)
    assert (first.trusts[0].grade, "first-seen" in first.trusts[0].reasons) == (Grade.VERIFIED, True)
    restarted = Judge(OURS, awaits_past=True)
    restarted.remember([("Reporter.example", "reporter.example")])
    assert "first-seen" not in restarted.file(mail, contents, proof).trusts[0].reasons


def test_the_address_of_one_of_our_domains_is_no_proof_for_another() -> None:
    other, ours = DomainName("other.example.jp"), DomainName("example.jp")
    addresses = ReportAddresses(b"s" * 32, [ours, other], "reports.example.jp")
    judge = Judge(Owned(frozenset({ours, other})), addresses=addresses)
    contents = read_mail(report_mail("a").raw)

    def trust(*recipients: str) -> Trust:
        mail = replace(report_mail("a"), rcpt_to=recipients)
        return judge.file(mail, contents, sent_by("reporter.example")).trusts[0]

    assert trust(addresses.address_of(ours)).grade is Grade.VERIFIED
    assert trust(addresses.address_of(other)).grade is Grade.UNVERIFIED
    assert "other-address" in trust(addresses.address_of(other)).reasons
    assert trust(addresses.address_of(other), addresses.address_of(ours)).grade is Grade.VERIFIED
    assert trust("dmarc@reports.example.jp").grade is Grade.VERIFIED  # an address that tells nothing
