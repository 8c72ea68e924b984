"""Reports in a mailbox of a real Dovecot: none is lost, none is taken twice, and nothing else is touched."""

from __future__ import annotations

import asyncio
import gzip
import socket
import threading
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from mailguard.errors import MailguardError
from mailguard.feedback.envelope import ReceivedMail, Way
from mailguard.feedback.mail import read_mail
from mailguard.sources.errors import MailboxError
from mailguard.sources.mailbox import Batch, MailboxReader, Outcome, SeenInMemory, fetch_once
from mailguard.sources.secret import Secret
from mailguard.sources.session import Session
from mailguard.sources.settings import After, Encryption, MailboxSettings
from mailguard.sources.watch import watch
from tests.feedback.mails import mail, report
from tests.integration.dns_servers import find_program
from tests.integration.imap_server import PASSWORD, Dovecot, Mailbox, Relay, running_dovecot

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(find_program("dovecot") is None, reason="dovecot is not here: apt install dovecot-imapd"),
]

LETTER = b"From: a@example.jp\r\nSubject: letter\r\n\r\nDear doctor\r\n"
WAIT_S = 20.0


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    with running_dovecot() as server:
        yield server


@pytest.fixture
def box(dovecot: Dovecot) -> Mailbox:
    return dovecot.new_mailbox()


@pytest.fixture
def settings(box: Mailbox, tmp_path: Path) -> MailboxSettings:
    password = tmp_path / "password"
    password.write_text(PASSWORD + "\n", encoding="utf-8")
    return MailboxSettings(
        host="localhost",
        user=box.user,
        password=Secret(file=str(password)),
        port=box.server.tls_port,
        ca_file=str(box.server.certificate),
        poll_s=60.0,
        timeout_s=10.0,
    )


def report_mail(number: int) -> bytes:
    """A mail with one report; its subject is ``report <number>``."""
    xml = report().replace("r-1", f"r-{number}")
    return mail(gzip.compress(xml.encode(), mtime=0)).replace(
        b"Report Domain: clinic.example.jp", b"report %d" % number
    )


def is_report(raw: bytes) -> bool:
    return bool(read_mail(raw).reports)


def names(batch: Batch) -> list[str]:
    return [fetched.mail.raw.partition(b"Subject: ")[2].partition(b"\r\n")[0].decode() for fetched in batch.mails]


def take_all(settings: MailboxSettings, seen: SeenInMemory | None = None) -> list[str]:
    """Fetch and commit everything, as a command does."""
    found = []
    for batch in fetch_once(settings, seen or SeenInMemory(), is_report):
        for fetched in batch.mails:
            batch.commit(fetched.uid)
        found += names(batch)
    return found


def test_reports_move_when_they_are_safe_and_a_letter_is_not_touched(box: Mailbox, settings: MailboxSettings) -> None:
    for data in (report_mail(1), LETTER, report_mail(2)):
        box.deliver(data)
    assert take_all(settings) == ["report 1", "report 2"]
    assert box.mails() == {"letter": ""}
    assert box.mails("mailguard-done") == {"report 1": "", "report 2": ""}


def test_a_mail_is_given_as_it_was_sent_and_says_where_it_lay(box: Mailbox, settings: MailboxSettings) -> None:
    box.deliver(report_mail(1))
    (batch,) = fetch_once(settings, SeenInMemory(), is_report)
    (fetched,) = batch.mails
    assert (fetched.mail.raw, fetched.mail.way) == (report_mail(1), Way.MAILBOX)
    assert fetched.mail.origin.startswith(f"imap://{box.user.replace('@', '%40')}@localhost/INBOX;UIDVALIDITY=")
    assert fetched.mail.origin.endswith("/;UID=1")


def test_what_is_not_committed_stays_as_it_is(box: Mailbox, settings: MailboxSettings) -> None:
    box.deliver(report_mail(1))
    assert [names(batch) for batch in fetch_once(settings, SeenInMemory(), is_report)] == [["report 1"]]
    assert box.mails() == {"report 1": ""}


def test_a_failed_mail_goes_to_its_own_folder(box: Mailbox, settings: MailboxSettings) -> None:
    box.deliver(report_mail(1))
    for batch in fetch_once(settings, SeenInMemory(), is_report):
        batch.commit(batch.mails[0].uid, failed=True)
    assert (box.mails(), box.mails("mailguard-failed")) == ({}, {"report 1": ""})


def test_mails_may_be_marked_or_left_instead(box: Mailbox, settings: MailboxSettings) -> None:
    box.deliver(report_mail(1))
    seen = SeenInMemory()
    leave = replace(settings, after=After.LEAVE)
    assert [take_all(leave, seen), take_all(leave, seen)] == [["report 1"], []]
    assert box.mails() == {"report 1": ""}
    assert list(seen.outcomes.values()) == [Outcome.DONE]
    assert take_all(replace(settings, after=After.FLAG)) == ["report 1"]
    assert box.mails() == {"report 1": "\\Seen"}


def test_what_somebody_else_has_deleted_is_neither_read_nor_expunged(box: Mailbox, settings: MailboxSettings) -> None:
    box.deliver(report_mail(1))
    with box.client() as client:
        client.select("INBOX")
        client.store("1", "+FLAGS", "\\Deleted")
        client.unselect()
    box.deliver(report_mail(2))
    box.deliver(LETTER)
    assert take_all(settings) == ["report 2"]
    assert take_all(replace(settings, after=After.FLAG)) == []
    assert box.mails() == {"report 1": "\\Deleted", "letter": ""}


def test_a_crash_between_storing_and_moving_shows_the_same_bytes_again(box: Mailbox, settings: MailboxSettings) -> None:
    box.deliver(report_mail(1))
    stored: dict[bytes, ReceivedMail] = {}
    crashed = MailboxReader(settings, SeenInMemory(), is_report)
    batch = crashed.next_batch()
    assert batch is not None
    stored[batch.mails[0].mail.digest] = batch.mails[0].mail
    batch.commit(batch.mails[0].uid)  # and here the process dies: nothing concludes the batch
    crashed.hang_up()
    assert box.mails() == {"report 1": ""}
    for again in fetch_once(settings, SeenInMemory(), is_report):
        assert [fetched.mail.digest in stored for fetched in again.mails] == [True]
        again.commit(again.mails[0].uid)
    assert (box.mails(), box.mails("mailguard-done")) == ({}, {"report 1": ""})


def test_nothing_is_moved_by_a_uid_of_another_life_of_the_folder(box: Mailbox, settings: MailboxSettings) -> None:
    settings = replace(settings, folder="Reports")
    with box.client() as client:
        client.create("Reports")
        client.append("Reports", None, None, report_mail(1))
    seen = SeenInMemory()
    reader = MailboxReader(settings, seen, is_report)
    batch = reader.next_batch()
    assert batch is not None
    batch.commit(batch.mails[0].uid)
    reader.hang_up()
    with box.client() as client:
        client.delete("Reports")
        client.create("Reports")
        client.append("Reports", None, None, LETTER)  # now this one has UID 1
        client.append("Reports", None, None, report_mail(1))
    reader.conclude(batch)
    assert box.mails("Reports") == {"letter": "", "report 1": ""}
    again = reader.next_batch()
    reader.hang_up()
    assert again is not None
    assert (names(again), again.place.validity != batch.place.validity) == (["report 1"], True)


def test_a_mail_above_the_limit_is_told_once_and_left(box: Mailbox, settings: MailboxSettings) -> None:
    box.deliver(report_mail(1) + b"x" * 20_000)
    box.deliver(report_mail(2))
    batches = []
    reader = MailboxReader(replace(settings, mail_bytes=10_000), SeenInMemory(), is_report)
    while batch := reader.next_batch():
        batches.append(batch)
        reader.conclude(batch)
    reader.hang_up()
    assert [names(batch) for batch in batches] == [["report 2"]]
    assert [left.size > 20_000 for left in batches[0].left] == [True]
    assert sorted(box.mails()) == ["report 1", "report 2"]


def test_many_mails_come_in_bounded_batches(box: Mailbox, settings: MailboxSettings) -> None:
    for number in range(25):
        box.deliver(report_mail(number))
    sizes = []
    for batch in fetch_once(replace(settings, batch_mails=10), SeenInMemory(), is_report):
        sizes.append(len(batch.mails))
        for fetched in batch.mails:
            batch.commit(fetched.uid)
    assert (sizes, len(box.mails("mailguard-done"))) == ([10, 10, 5], 25)


def test_starttls_will_do_and_so_will_none_on_this_machine_for_who_says_so(
    box: Mailbox, settings: MailboxSettings
) -> None:
    box.deliver(report_mail(1))
    assert take_all(replace(settings, encryption=Encryption.STARTTLS, port=box.server.port)) == ["report 1"]
    box.deliver(report_mail(2))
    assert take_all(replace(settings, encryption=Encryption.NONE, port=box.server.port)) == ["report 2"]


def test_a_certificate_that_nobody_vouches_for_or_of_another_name_is_refused(
    box: Mailbox, settings: MailboxSettings
) -> None:
    for wrong in (replace(settings, ca_file=""), replace(settings, host="localhost.localdomain")):
        with pytest.raises(MailboxError, match="could not be reached"):
            take_all(wrong)


def test_a_wrong_password_is_told_without_it(box: Mailbox, settings: MailboxSettings, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("not-the-password", encoding="utf-8")
    with pytest.raises(MailboxError, match="refused the login") as caught:
        take_all(replace(settings, password=Secret(file=str(wrong))))
    assert "not-the-password" not in str(caught.value)


def test_folder_names_may_be_japanese(box: Mailbox, settings: MailboxSettings) -> None:
    box.deliver(report_mail(1))
    assert take_all(replace(settings, done_folder="処理済み レポート")) == ["report 1"]
    assert take_all(replace(settings, folder="処理済み レポート")) == ["report 1"]
    assert box.mails("mailguard-done") == {"report 1": ""}


async def next_of(batches: AsyncGenerator[Batch, None]) -> Batch:
    async with asyncio.timeout(WAIT_S):
        return await anext(batches)


class Troubles:
    """What a watcher has been told."""

    def __init__(self) -> None:
        self.errors: list[MailguardError] = []

    def __call__(self, error: MailguardError, seconds: float) -> None:
        self.errors.append(error)


@pytest.fixture
def resting(monkeypatch: pytest.MonkeyPatch) -> threading.Semaphore:
    """Released each time that a watcher has found nothing and begins to wait for the server."""
    semaphore = threading.Semaphore(0)
    wait = Session.wait

    def told_wait(session: Session, seconds: float, wake: socket.socket) -> None:
        semaphore.release()
        wait(session, seconds, wake)

    monkeypatch.setattr(Session, "wait", told_wait)
    return semaphore


async def rests(resting: threading.Semaphore) -> None:
    assert await asyncio.to_thread(resting.acquire, timeout=WAIT_S)


async def no_pause(seconds: float) -> None:
    """The server is there again at once."""


async def test_idle_wakes_long_before_the_next_look(
    box: Mailbox, settings: MailboxSettings, resting: threading.Semaphore
) -> None:
    troubles = Troubles()
    settings = replace(settings, poll_s=1_000.0)
    async with aclosing(watch(settings, SeenInMemory(), is_report, troubles)) as batches:
        for number in range(3):
            waiting = asyncio.create_task(next_of(batches))
            await rests(resting)
            await asyncio.to_thread(box.deliver, report_mail(number))
            batch = await waiting
            assert names(batch) == [f"report {number}"]
            batch.commit(batch.mails[0].uid)
    assert len(box.mails("mailguard-done")) == 3
    assert troubles.errors == []


async def test_a_cut_connection_is_made_again(
    box: Mailbox, settings: MailboxSettings, resting: threading.Semaphore
) -> None:
    troubles = Troubles()
    with Relay(box.server.tls_port) as relay:
        there = replace(settings, port=relay.port, poll_s=1_000.0)
        async with aclosing(watch(there, SeenInMemory(), is_report, troubles, no_pause)) as batches:
            waiting = asyncio.create_task(next_of(batches))
            await rests(resting)
            relay.cut()
            await asyncio.to_thread(box.deliver, report_mail(1))
            assert names(await waiting) == ["report 1"]
    assert (relay.connections, len(troubles.errors)) == (2, 1)


async def test_a_cut_between_commit_and_move_delays_the_move_only(box: Mailbox, settings: MailboxSettings) -> None:
    troubles = Troubles()
    box.deliver(report_mail(1))
    with Relay(box.server.tls_port) as relay:
        there = replace(settings, port=relay.port)
        async with aclosing(watch(there, SeenInMemory(), is_report, troubles, no_pause)) as batches:
            first = await next_of(batches)
            first.commit(first.mails[0].uid)
            relay.cut()
            await asyncio.to_thread(box.deliver, report_mail(2))
            assert names(await next_of(batches)) == ["report 2"]
    assert (sorted(box.mails()), sorted(box.mails("mailguard-done"))) == (["report 2"], ["report 1"])
    assert len(troubles.errors) == 1


async def test_stopping_is_prompt_also_while_waiting(
    box: Mailbox, settings: MailboxSettings, resting: threading.Semaphore
) -> None:
    async with aclosing(watch(settings, SeenInMemory(), is_report, Troubles())) as batches:
        waiting = asyncio.create_task(next_of(batches))
        await rests(resting)
        waiting.cancel()
        async with asyncio.timeout(5):
            await asyncio.gather(waiting, return_exceptions=True)
    assert waiting.cancelled()
