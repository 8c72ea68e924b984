"""Reading kept mails again with a better reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mailguard.feedback.mail import MailContents, read_mail
from mailguard.feedback.report import AggregateReport, Unreadable
from mailguard.store import Filed, Store, open_store
from mailguard.store.other_reports import NOT_CHECKED
from mailguard.store.reprocess import Reread
from mailguard.store.upkeep import Kind, check, prune
from mailguard.trust.grade import UNVERIFIED, Grade, Trust
from tests.feedback.mails import gzipped_mail
from tests.feedback.mails import record as record_xml
from tests.feedback.mails import report as report_xml
from tests.store.samples import BEGIN, EVERYTHING, VERIFIED, everything, filed, filed_as, record, report
from tests.trust.test_judge_tls import tls_mail

RAW = gzipped_mail(report_xml(record_xml(count=5), record_xml("192.0.2.9", 2)))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "db") as store:
        yield store
        assert list(check(store.database)) == []


def blind(contents: MailContents) -> MailContents:
    """What a reader saw that lost the second record of each report."""
    return replace(contents, reports=tuple(replace(one, records=one.records[:1]) for one in contents.reports))


def again(store: Store, read: Callable[[bytes], MailContents] = read_mail, trust: Trust = NOT_CHECKED) -> Reread:
    """Read all kept mails; what is new in them has this trust."""
    told = Reread()
    for number in store.list_kept():
        kept = store.load_kept(number)
        assert kept is not None
        contents = read(kept.mail.raw)
        trusts = (trust,) * len(contents.reports)
        tls_trusts = (trust,) * len(contents.tls_reports)
        store.reread(kept, Filed(kept.mail, contents, trusts, kept.account, tls_trusts), told)
    return told


def counted(store: Store) -> list[tuple[object, ...]]:
    return store.database.rows("SELECT grade, CAST(SUM(messages) AS BIGINT) FROM rollup_day GROUP BY grade")


@pytest.mark.parametrize("trust", [VERIFIED, UNVERIFIED])
def test_a_better_reader_gives_better_rows(store: Store, trust: object) -> None:
    contents = read_mail(RAW)
    (stored,) = store.add([filed_as(RAW, blind(contents), trust)])  # type: ignore[arg-type]
    told = again(store)
    assert (told.mails, told.better, told.found, told.lost) == (1, 1, 0, 0)
    assert counted(store) == [(trust.grade.value, 7)]  # type: ignore[attr-defined]
    assert [row.id for row in store.list_reports()] == [stored.mail_id]
    before = everything(store.database)
    assert (again(store).unchanged, again(store).better) == (1, 0)
    assert everything(store.database) == before
    assert not store.add([filed_as(RAW, contents, trust)])[0].new  # type: ignore[arg-type]
    assert everything(store.database) == before


def test_the_result_is_that_of_storing_it_right_at_once(store: Store, tmp_path: Path) -> None:
    contents = read_mail(RAW)
    store.add([filed_as(RAW, blind(contents), VERIFIED)])
    again(store)
    with open_store(tmp_path / "other") as other:
        other.add([filed_as(RAW, contents, VERIFIED)])
        assert everything(store.database) == everything(other.database)


def test_what_could_not_be_read_before_is_found(store: Store) -> None:
    unread = MailContents((), (Unreadable("report.xml.gz", "some-bound"),))
    store.add([filed_as(RAW, unread)])
    assert again(store).found == 1
    assert store.database.rows("SELECT COUNT(*) FROM unreadable") == [(0,)]
    assert counted(store) == [("unverified", 7)]
    assert again(store).unchanged == 1


def test_what_is_found_is_graded_by_whoever_can(store: Store) -> None:
    store.add([Filed(filed_as(RAW, read_mail(RAW)).mail, MailContents((), ()), (), '{"known": 1}')])
    kept = store.load_kept(1)
    assert kept is not None
    assert (kept.mail.raw, kept.account) == (RAW, '{"known": 1}')
    assert again(store, trust=VERIFIED).found == 1
    assert counted(store) == [("verified", 7)]


def test_what_is_no_longer_found_stays(store: Store) -> None:
    store.add([filed(report(record(count=5)), raw=b"no report at all")])
    assert again(store).lost == 1
    assert counted(store) == [("verified", 5)]


def test_another_reading_of_the_key_moves_the_report(store: Store) -> None:
    contents = read_mail(RAW)
    wrong = replace(contents, reports=(replace(contents.reports[0], report_id="misread"),))
    store.add([filed_as(RAW, wrong, VERIFIED)])
    assert again(store).better == 1
    assert [row.report_id for row in store.list_reports()] == ["r-1"]
    assert store.add([filed_as(RAW + b"\r\n", contents, VERIFIED)])[0].outcomes == ("duplicate",)


def test_a_key_that_is_taken_is_a_conflict_and_nothing_changes(store: Store) -> None:
    contents = read_mail(RAW)
    misread = replace(contents.reports[0], report_id="misread")
    store.add([filed_as(RAW, replace(contents, reports=(misread,)), VERIFIED)])
    store.add([filed(report(record(), begin=misread.begin), raw=b"another report under the right key")])
    before = everything(store.database)
    assert again(store).conflicts == 1
    assert everything(store.database) == before


def test_superseded_copies_stay_out_of_the_sums(store: Store) -> None:
    contents = read_mail(RAW)
    store.add([filed_as(RAW, blind(contents))])
    store.add([filed_as(RAW + b"\r\n", blind(contents), VERIFIED)])
    assert again(store).better == 2
    assert counted(store) == [("verified", 7)]


def test_reports_whose_records_are_gone_are_left_alone(store: Store) -> None:
    store.add([filed_as(RAW, blind(read_mail(RAW)), VERIFIED)])
    prune(store.database, Kind.RECORDS, BEGIN + 9 * 86_400)
    before = everything(store.database, [name for name in EVERYTHING if name != "unreadable"])
    assert again(store).unchanged == 1
    assert everything(store.database, list(before)) == before


def test_a_reader_that_breaks_breaks_one_mail_only(store: Store) -> None:
    store.add([filed_as(RAW, blind(read_mail(RAW)), VERIFIED)])
    before = everything(store.database)

    def broken(raw: bytes) -> MailContents:
        one: AggregateReport = read_mail(raw).reports[0]
        return MailContents((replace(one, records=(*one.records, None)),), ())  # type: ignore[arg-type]

    with pytest.raises((AttributeError, TypeError)):
        again(store, broken)
    assert everything(store.database) == before


def test_a_tls_report_that_can_be_proved_now_is_better(store: Store) -> None:
    raw = tls_mail()
    store.add([filed_as(raw, read_mail(raw))])
    assert [row.grade for row in store.list_tls()] == [Grade.UNVERIFIED]
    told = again(store, trust=VERIFIED)
    assert (told.better, told.found, told.unchanged) == (1, 0, 0)
    assert [row.grade for row in store.list_tls()] == [Grade.VERIFIED]
    told = again(store)
    assert (told.better, told.found, told.unchanged) == (0, 0, 1)
    assert [row.grade for row in store.list_tls()] == [Grade.VERIFIED]


def test_a_mail_whose_time_is_over_meanwhile_changes_nothing(store: Store) -> None:
    store.add([filed_as(RAW, blind(read_mail(RAW)), VERIFIED)])
    kept = store.load_kept(1)
    assert kept is not None
    store.prune(Kind.RAW, BEGIN + 9 * 86_400)
    before, told = everything(store.database), Reread()
    store.reread(kept, filed_as(RAW, read_mail(RAW), VERIFIED), told)
    assert (everything(store.database), told) == (before, Reread())
    assert store.load_kept(1) is None
