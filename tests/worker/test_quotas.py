"""Strangers cannot fill the disk: bounds on what lies in quarantine and on stored mails without a report."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from mailguard.feedback.mail import MailContents
from mailguard.spool import Reason, Shelf
from mailguard.store import open_store
from mailguard.store.upkeep import reportless_since
from mailguard.worker.filer import Filer
from mailguard.worker.quotas import BoundedQuarantine, LetGo, keep_reportless_within
from tests.spool.mails import mail
from tests.store import samples
from tests.worker.until import until

KIB = 1024
BOMB = Reason("took-too-long")
OURS = Reason("failed-in-us", {"kind": "KeyError"})


class Clock:
    now = 0

    def __call__(self) -> int:
        self.now += 10**9
        return self.now


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    shelf = Shelf(tmp_path / "spool", now_ns=Clock())
    shelf.prepare()
    return shelf


def lying(shelf: Shelf) -> list[str]:
    return [shelf.load_quarantined(one.id).mails[0].raw.decode().split()[1] for one in shelf.list_quarantine()]


def test_the_oldest_of_unproved_senders_goes_first(shelf: Shelf) -> None:
    quarantine = BoundedQuarantine(shelf, 50 * KIB)  # six, and five when one is too much
    quarantine.keep(mail("ours"), OURS)
    quarantine.keep(mail("proved"), BOMB, "reporter.example")
    for number in range(10):
        quarantine.keep(mail(f"junk{number}"), BOMB)
    assert lying(shelf)[:2] == ["ours", "proved"]
    assert lying(shelf)[-1] == "junk9"
    assert 5 <= len(lying(shelf)) <= 7


def test_what_just_came_is_never_what_goes(shelf: Shelf) -> None:
    quarantine = BoundedQuarantine(shelf, 1)
    for name in ("one", "two", "three"):
        quarantine.keep(mail(name), BOMB)
        assert lying(shelf) == [name]


def test_what_lay_there_before_the_start_counts(shelf: Shelf) -> None:
    for number in range(10):
        shelf.quarantine(mail(f"junk{number}"), BOMB)
    BoundedQuarantine(shelf, 50 * KIB).keep(mail("new"), BOMB)
    assert len(lying(shelf)) <= 7


def test_without_a_bound_nothing_goes(shelf: Shelf) -> None:
    quarantine = BoundedQuarantine(shelf, 0)
    for number in range(10):
        quarantine.keep(mail(f"junk{number}"), BOMB)
    assert len(lying(shelf)) == 10


def test_the_log_says_once_a_day_what_went(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    let_go = LetGo("quarantine", clock=lambda: now)
    with caplog.at_level(logging.WARNING):
        let_go.add(0, 0)
        let_go.add(1, KIB**2)
        let_go.add(2, KIB**2)
        now = 80_000.0
        let_go.add(2, KIB**2)
        now = 90_000.0
        let_go.add(0, 0)
    assert [one.split(": ")[1] for one in caplog.messages] == ["1 mails, 1.0 MiB", "4 mails, 2.0 MiB"]


async def test_stored_mails_without_a_report_stay_within_their_bound(tmp_path: Path) -> None:
    path = tmp_path / "db"
    letters = [samples.filed_as(b"%04d" % number, MailContents((), ())) for number in range(40)]
    async with Filer(lambda: open_store(path)) as filer:
        await asyncio.gather(*map(filer.add, letters))
        await filer.add(samples.filed(samples.report(samples.record())))
        keeping = asyncio.create_task(keep_reportless_within(filer, 10_000, look_every_s=0.01))
        await until(lambda: held(path) <= 10_000)
        more = [replace(one, mail=replace(one.mail, raw=b"more" + one.mail.raw)) for one in letters]
        await asyncio.gather(*map(filer.add, more))
        await until(lambda: held(path) <= 10_000)
        keeping.cancel()
    with open_store(path) as store:
        assert len(store.list_reports()) == 1
        assert reportless_since(store.database, 0).mails >= 10


def held(path: Path) -> int:
    with open_store(path) as store:
        return reportless_since(store.database, 0).size
