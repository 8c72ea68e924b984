"""Strangers cannot fill the disk: bounds on what lies in quarantine and on stored mails without a report."""

from __future__ import annotations

import asyncio
import logging
import random
from dataclasses import replace
from pathlib import Path

import pytest

from mailguard.feedback.mail import MailContents
from mailguard.settings.values import RetentionSettings
from mailguard.spool import Reason, Shelf
from mailguard.store import Filed, open_store
from mailguard.store.upkeep_bounds import Holding, held_since
from mailguard.trust.grade import Grade, Trust
from mailguard.worker.filer import Filer
from mailguard.worker.quotas import BoundedQuarantine, LetGo, bounds, keep_within
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
        keeping = asyncio.create_task(keep_within(filer, Holding.REPORTLESS, 10_000, look_every_s=0.01))
        await until(lambda: held(path) <= 10_000)
        more = [replace(one, mail=replace(one.mail, raw=b"more" + one.mail.raw)) for one in letters]
        await asyncio.gather(*map(filer.add, more))
        await until(lambda: held(path) <= 10_000)
        keeping.cancel()
    with open_store(path) as store:
        assert len(store.list_reports()) == 1
        assert held_since(store.database, Holding.REPORTLESS, 0).mails >= 10


@pytest.mark.parametrize("holding", [Holding.UNVERIFIED_RAW, Holding.UNVERIFIED])
async def test_forged_reports_stay_within_their_bound(
    tmp_path: Path, holding: Holding, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "db"
    most = 10_000
    proved = samples.report(samples.record(), report_id="proved")
    other = samples.report(samples.record(), report_id="other")
    async with Filer(lambda: open_store(path)) as filer:
        await filer.add(samples.filed(proved, trust=samples.VERIFIED))
        await filer.add(samples.filed(other, trust=samples.AUTHENTICATED))
        keeping = asyncio.create_task(keep_within(filer, holding, most, look_every_s=0.01))
        for batch in range(3):
            forged = (forged_report(f"{batch} {number}") for number in range(40))
            await asyncio.gather(*map(filer.add, forged))
            await until(lambda: held(path, holding) <= most)
        keeping.cancel()
    with open_store(path) as store:
        assert held_since(store.database, holding, 0).size > most // 2
        proved_mails = "SELECT grade FROM mail JOIN report ON mail_id = mail.id WHERE grade <> ? AND raw IS NOT NULL"
        assert store.database.rows(proved_mails, ("unverified",)) == [("verified",), ("authenticated",)]
        ((reports,),) = store.database.rows("SELECT COUNT(*) FROM report")
        assert (reports == 122) is (holding is Holding.UNVERIFIED_RAW)
    (said,) = caplog.messages  # once a day
    assert said.startswith("let go for want of room (")


def forged_report(name: str) -> Filed:
    trust = Trust(Grade.UNVERIFIED, "", ("not-authenticated",))
    return samples.filed(samples.report(samples.record(), report_id=name), trust=trust, raw=random.randbytes(500))


def test_every_holding_has_its_bound() -> None:
    assert dict(bounds(RetentionSettings(reportless_mib=1, unverified_raw_mib=2, unverified_mib=0))) == {
        Holding.REPORTLESS: KIB**2,
        Holding.UNVERIFIED_RAW: 2 * KIB**2,
        Holding.UNVERIFIED: 0,
    }


def held(path: Path, holding: Holding = Holding.REPORTLESS) -> int:
    with open_store(path) as store:
        return held_since(store.database, holding, 0).size
