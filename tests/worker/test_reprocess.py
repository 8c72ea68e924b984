"""Reading kept mails again: in the bounded processes, by the keys that were kept, and no mail harms another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mailguard.feedback.envelope import ReceivedMail, Way
from mailguard.feedback.mail import MailContents
from mailguard.inquiry import run
from mailguard.names import DomainName
from mailguard.store import Filed, Store, open_store
from mailguard.store.reprocess import Reread
from mailguard.trust.authenticate import authenticate
from mailguard.trust.grade import Grade
from mailguard.trust.judge import Owned
from mailguard.trust.reporter import KNOWN_REPORTERS, Registry
from mailguard.worker.judging import Judge, encode_account
from mailguard.worker.reprocess import ReprocessSettings, reprocess
from mailguard.worker.wire import ReadingSettings
from tests.feedback.mails import gzipped_mail
from tests.feedback.mails import report as report_xml
from tests.trust.mails import NOW, key_zone, rsa_pair, sign
from tests.trust.test_judge_tls import tls_mail
from tests.worker.mails import poison, report_mail

NOTHING = MailContents((), ())


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "db"


def keep(place: Path, mails: Sequence[ReceivedMail], accounts: Sequence[str] = ()) -> None:
    """Mails in which nothing could be read when they came."""
    with open_store(place) as store:
        store.add(
            [
                Filed(mail, NOTHING, (), account)
                for mail, account in zip(mails, accounts or [""] * len(mails), strict=True)
            ]
        )


async def again(place: Path, **settings: object) -> Reread:
    told = Reread()
    async for told in reprocess(lambda: open_store(place), ReprocessSettings(**settings)):  # type: ignore[arg-type]  # noqa: B007
        pass
    return told


def ids(place: Path) -> list[str]:
    with open_store(place) as store:
        return sorted(row.report_id for row in store.list_reports())


async def test_nothing_kept_is_nothing_to_do(place: Path) -> None:
    open_store(place).close()
    assert await again(place) == Reread()


async def test_what_could_not_be_read_is_found(place: Path) -> None:
    mails = [report_mail(f"r-{number}") for number in range(20)]
    keep(place, mails)
    told = await again(place)
    assert (told.mails, told.found, told.unread) == (20, 20, 0)
    assert len(ids(place)) == 20
    told = await again(place)
    assert (told.found, told.unchanged) == (0, 20)


async def test_it_is_told_how_many_mails_are_gone(place: Path) -> None:
    keep(place, [report_mail("kept"), report_mail("gone"), replace(report_mail("letter"), raw=b"a letter")])
    await again(place)
    with open_store(place) as store, store.database.transaction():
        store.database.run("UPDATE mail SET raw = NULL WHERE id > 1")
    told = await again(place)
    assert (told.mails, told.unchanged, told.gone) == (1, 1, 1)
    assert ids(place) == ["gone", "kept"]


@pytest.mark.parametrize("kind", ["crash", "hang", "grow", "raise"])
async def test_a_mail_that_goes_beyond_the_bounds_costs_itself_only(place: Path, kind: str) -> None:
    keep(place, [report_mail("before"), poison(kind), report_mail("after")])
    reading = ReadingSettings(memory_bytes=64 * 1024 * 1024, cpu_s=5)
    told = await again(place, program="tests.worker.poisoned_child", mail_s=2.0, reading=reading)
    assert (told.mails, told.found, told.unread) == (3, 2, 1)
    assert ids(place) == ["after", "before"]


def signed(raw: bytes, record: bytes) -> tuple[ReceivedMail, str]:
    """A mail, and what was found out about its sender when it came."""
    mail = ReceivedMail(sign(raw), NOW, way=Way.FILE)
    return mail, encode_account(run(authenticate(mail), key_zone(record=record)))


async def test_what_is_found_is_graded_by_the_keys_that_were_kept(place: Path) -> None:
    key = rsa_pair()[1]
    aggregate, tls = signed(gzipped_mail(report_xml()), key), signed(tls_mail(), key + b"; s=tlsrpt")
    keep(place, [aggregate[0], tls[0]], [aggregate[1], tls[1]])
    assert (await again(place)).found == 2
    with open_store(place) as store:
        assert grades(store) == [Grade.VERIFIED, Grade.VERIFIED]


async def test_what_was_signed_in_the_future_of_a_wrong_clock_is_proved_by_the_right_one(
    place: Path,
) -> None:
    mail = ReceivedMail(sign(gzipped_mail(report_xml()), at=NOW), NOW - 20_000, way=Way.FILE)
    account = encode_account(run(authenticate(mail), key_zone()))
    assert await filed(place, mail, account, now=lambda: NOW - 10_000) is Grade.UNVERIFIED
    await again(place, **regrading(), now=lambda: NOW)
    assert only_grade(place) is Grade.VERIFIED


async def test_without_a_kept_key_nothing_is_proved(place: Path) -> None:
    mail, _ = signed(gzipped_mail(report_xml()), rsa_pair()[1])
    keep(place, [mail, replace(mail, raw=sign(tls_mail()))])
    await again(place)
    with open_store(place) as store:
        assert grades(store) == [Grade.UNVERIFIED, Grade.UNVERIFIED]
        shown = store.show_report(1)
        assert shown is not None
        assert "could-not-be-checked" in shown["trust_reasons"]


async def test_what_is_found_is_judged_by_our_domains(place: Path) -> None:
    mail, account = signed(gzipped_mail(report_xml()), rsa_pair()[1])
    keep(place, [mail], [account])
    await again(place, judge=Judge(Owned(frozenset({DomainName("other.example.jp")}))))
    with open_store(place) as store:
        (row,) = store.list_reports()
        assert row.grade is Grade.UNVERIFIED


def regrading(domain: str = "clinic.example.jp", registry: Registry = KNOWN_REPORTERS) -> dict[str, Any]:
    return {"judge": Judge(Owned(frozenset({DomainName(domain)})), registry), "regrade": True}


async def filed(place: Path, mail: ReceivedMail, account: str, **settings: object) -> Grade:
    """The grade of a mail's report after it was read once more by these settings."""
    keep(place, [mail], [account])
    await again(place, **settings)
    return only_grade(place)


def only_grade(place: Path) -> Grade:
    with open_store(place) as store:
        assert list(store.check()) == []
        (row,) = store.list_reports()
        return row.grade


@pytest.fixture
def kept() -> tuple[ReceivedMail, str]:
    return signed(gzipped_mail(report_xml()), rsa_pair()[1])


async def test_a_domain_that_became_ours_is_regraded_and_only_with_settings(
    place: Path, kept: tuple[ReceivedMail, str]
) -> None:
    assert await filed(place, *kept, **regrading("other.example.jp")) is Grade.UNVERIFIED
    assert (await again(place)).unchanged == 1
    assert only_grade(place) is Grade.UNVERIFIED
    assert (await again(place, **regrading())).better == 1
    assert only_grade(place) is Grade.VERIFIED
    assert (await again(place, **regrading())).unchanged == 1


async def test_what_rules_of_today_do_not_believe_is_no_longer_counted(
    place: Path, kept: tuple[ReceivedMail, str]
) -> None:
    assert await filed(place, *kept, **regrading()) is Grade.VERIFIED
    elsewhere = KNOWN_REPORTERS.vouch("reporter.example", DomainName("elsewhere.example"))
    assert (await again(place, **regrading(registry=elsewhere))).better == 1
    assert only_grade(place) is Grade.AUTHENTICATED


async def test_an_answer_that_is_missing_now_lowers_no_grade(place: Path, kept: tuple[ReceivedMail, str]) -> None:
    assert await filed(place, *kept, **regrading()) is Grade.VERIFIED
    with open_store(place) as store:
        store.database.run("UPDATE mail SET authentication = ''")
    assert (await again(place, **regrading())).unchanged == 1
    assert only_grade(place) is Grade.VERIFIED


async def test_the_future_of_a_wrong_clock_is_judged_again(place: Path) -> None:
    days = 86_400
    report = report_xml().replace("1790086399", str(NOW + 5 * days))
    mail, account = signed(gzipped_mail(report), rsa_pair()[1])
    assert await filed(place, mail, account, now=lambda: 0.0, **regrading()) is Grade.UNVERIFIED
    assert (await again(place, now=lambda: NOW + 5.0 * days, **regrading())).better == 1
    assert only_grade(place) is Grade.VERIFIED


def grades(store: Store) -> list[Grade]:
    return [*(row.grade for row in store.list_reports()), *(row.grade for row in store.list_tls())]
