"""A real Postfix delivers report mails to the listener, as the senders of reports do: over TLS that it verifies, and
again later when it is asked to. Nothing is lost on the way, and nothing is counted twice."""

from __future__ import annotations

import gzip
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mailguard.feedback.envelope import ReceivedMail
from mailguard.feedback.mail import read_mail
from mailguard.store import Filed, open_store
from mailguard.trust.grade import UNVERIFIED
from tests.feedback.mails import mail, report
from tests.integration.dns_servers import free_port
from tests.integration.postfix.authority import Authority
from tests.integration.postfix.receiver import HOST, RECIPIENT, Place, receiver
from tests.integration.postfix.server import SENDER, Postfix, needs_postfix, needs_root, running_postfix

pytestmark = [pytest.mark.integration, needs_postfix, needs_root]

WAIT_S = 60.0
TAKEN_UP_S = 10.0
SKIPPED = "skipped, still being delivered"
FAR_TOO_MUCH = 2**60  # bytes that no file system has free


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority.pem", "test authority")


@pytest.fixture
def place(tmp_path: Path, authority: Authority) -> Place:
    """With a certificate that the sender trusts."""
    authority.issue(tmp_path / "chain.pem", tmp_path / "key.pem", HOST)
    return Place(tmp_path, free_port())


@pytest.fixture
def postfix(place: Place, authority: Authority) -> Iterator[Postfix]:
    with running_postfix(place.port, HOST, authority.file) as server:
        yield server


def reports(count: int) -> list[bytes]:
    return [
        mail(gzip.compress(report().replace("r-1", f"r-{number}").encode(), mtime=0)) for number in range(1, count + 1)
    ]


def ids_in(mails: list[ReceivedMail]) -> Counter[str]:
    """How often each report is in the mails."""
    return Counter(one.report_id for received in mails for one in read_mail(received.raw).reports)


def each_once(count: int) -> Counter[str]:
    return Counter(f"r-{number}" for number in range(1, count + 1))


def until(happened: Callable[[], object], server: Postfix) -> None:
    deadline = time.monotonic() + WAIT_S
    while not happened():
        assert time.monotonic() < deadline, server.log[-4000:]
        time.sleep(0.05)


def until_delivered(server: Postfix) -> None:
    """Postfix takes up a mail that it skipped minutes later; it is told to where it says so, and every few seconds."""
    skipped = 0
    again = time.monotonic() + TAKEN_UP_S

    def is_delivered() -> bool:
        nonlocal skipped, again
        if (now := server.log.count(SKIPPED)) > skipped or time.monotonic() > again:
            skipped, again = now, time.monotonic() + TAKEN_UP_S
            server.take_up_again()
        return server.queued == 0

    until(is_delivered, server)


def until_more(place: Place, server: Postfix) -> None:
    """Until a mail has come, or there are no more."""
    before = place.waiting()
    until(lambda: place.waiting() > before or server.queued == 0, server)


def test_reports_are_delivered_over_verified_tls(place: Place, postfix: Postfix) -> None:
    with receiver(place):
        assert postfix.hand_over(reports(30), RECIPIENT) == 30
        until_delivered(postfix)
    mails = place.mails()
    assert ids_in(mails) == each_once(30)
    assert {(one.mail_from, one.rcpt_to, one.helo, one.peer) for one in mails} == {
        (SENDER, (RECIPIENT,), "mta.reporter.example", "127.0.0.1")
    }
    assert {one.tls for one in mails} <= {"TLSv1.2", "TLSv1.3"}
    assert "Verified TLS connection established to 127.0.0.1" in postfix.log
    assert "status=deferred" not in postfix.log


def test_a_sender_that_verifies_waits_until_our_certificate_is_right(
    place: Place, postfix: Postfix, authority: Authority
) -> None:
    """Nothing comes in the clear meanwhile, and a new certificate needs no restart."""
    stranger = Authority(place.folder / "stranger.pem", "another authority")
    stranger.issue(place.folder / "chain.pem", place.folder / "key.pem", HOST)
    with receiver(place):
        postfix.hand_over(reports(3), RECIPIENT)
        until(lambda: "untrusted issuer /CN=another authority" in postfix.log, postfix)
        assert place.mails() == []
        authority.issue(place.folder / "chain.pem", place.folder / "key.pem", "other.example.jp")
        until(lambda: "hostname mismatch" in postfix.log, postfix)
        assert place.mails() == []
        authority.issue(place.folder / "chain.pem", place.folder / "key.pem", HOST)
        until_delivered(postfix)
    assert ids_in(place.mails()) == each_once(3)


def test_a_full_disk_makes_it_come_back(place: Place, postfix: Postfix) -> None:
    with receiver(place, free_bytes=FAR_TOO_MUCH):
        postfix.hand_over(reports(10), RECIPIENT)
        until(lambda: "said: 452 4.3.1" in postfix.log, postfix)
        assert place.mails() == []
    with receiver(place):
        until_delivered(postfix)
    assert ids_in(place.mails()) == each_once(10)


def test_trouble_of_ours_makes_it_come_back(place: Place, postfix: Postfix) -> None:
    """A spool that cannot be written into is 451, names nothing of ours, and mends without a restart."""
    with receiver(place):
        tmp = place.folder / "spool" / "tmp"
        tmp.rename(tmp.with_name("away"))
        postfix.hand_over(reports(5), RECIPIENT)
        until(lambda: "said: 451 4.3.0" in postfix.log, postfix)
        assert place.mails() == []
        tmp.with_name("away").rename(tmp)
        until_delivered(postfix)
    assert ids_in(place.mails()) == each_once(5)
    told = re.findall(r"said: (45[^)]*?) \(in reply", postfix.log)
    assert set(told) == {"451 4.3.0 Local trouble, please try again later"}


def test_restarts_lose_and_double_nothing(place: Place, postfix: Postfix) -> None:
    """Ended as a service manager does it: every mail is there exactly once."""
    mails = reports(60)
    for turn in range(4):
        postfix.hand_over(mails[15 * turn : 15 * turn + 15], RECIPIENT)
        with receiver(place) as running:
            until_more(place, postfix)
            running.stop()
    with receiver(place):
        until_delivered(postfix)
    assert ids_in(place.mails()) == each_once(60)


def test_kills_lose_nothing_and_the_store_counts_once(place: Place, postfix: Postfix) -> None:
    postfix.hand_over(reports(60), RECIPIENT)
    for _ in range(6):
        with receiver(place) as running:
            until_more(place, postfix)
            running.kill()
    with receiver(place):
        until_delivered(postfix)
    mails = place.mails()
    assert ids_in(mails).keys() == each_once(60).keys()
    assert len({one.digest for one in mails}) == 60
    assert stored(mails, place.folder / "reports.db") == Counter(stored=60, duplicate=len(mails) - 60)


def test_a_kill_between_the_disk_and_the_250_makes_a_copy_that_is_known(place: Place, postfix: Postfix) -> None:
    with receiver(place, dies_at_250=True) as running:
        postfix.hand_over(reports(1), RECIPIENT)
        until(lambda: not running.runs, postfix)
    with receiver(place):
        until_delivered(postfix)
    first, second = place.mails()
    assert first.raw == second.raw
    assert stored([first, second], place.folder / "reports.db") == Counter(stored=1, duplicate=1)


def stored(mails: list[ReceivedMail], path: Path) -> Counter[str]:
    """What becomes of the mails' reports in a new store."""
    contents = [read_mail(one.raw) for one in mails]
    filed = [Filed(one, found, (UNVERIFIED,) * len(found.reports)) for one, found in zip(mails, contents, strict=True)]
    with open_store(str(path)) as store:
        return +Counter(str(outcome) for one in store.add(filed) for outcome in one.outcomes)


def test_what_we_refuse_for_good_is_not_tried_again(place: Place, postfix: Postfix) -> None:
    with receiver(place):
        postfix.hand_over(reports(1), "postmaster@example.com")
        until_delivered(postfix)
    assert place.mails() == []
    assert "said: 550 5.7.1 No such report address here" in postfix.log
    assert "status=deferred" not in postfix.log
