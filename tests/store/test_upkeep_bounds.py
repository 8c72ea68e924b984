"""Reports that are not verified, and their mails: counted, and let go from the oldest; what is verified never goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from mailguard.feedback.mail import MailContents
from mailguard.feedback.report import Unreadable
from mailguard.store import Filed, Store
from mailguard.store.reprocess import count_gone
from mailguard.store.upkeep import Kind, check, prune
from mailguard.store.upkeep_bounds import Holding, held_since, make_room
from mailguard.trust.grade import Grade, Trust
from tests.store import samples
from tests.store.samples import AUTHENTICATED, VERIFIED
from tests.store.test_other_reports import tls, tls_mail

RAW, REPORTS = Holding.UNVERIFIED_RAW, Holding.UNVERIFIED
FORGED = Trust(Grade.UNVERIFIED, "", ("not-authenticated",))
UNCHECKED = Trust(Grade.UNVERIFIED, "", ("not-checked",))


def forged(name: str, trust: Trust = FORGED, records: int = 3) -> Filed:
    rows = (samples.record(f"192.0.2.{n}", n) for n in range(1, records + 1))
    return samples.filed(samples.report(*rows, report_id=name), trust=trust, raw=name.encode() * 100)


def named(store: Store, which: str = "1 = 1") -> list[str]:
    """The ids of reports whose mails are so."""
    query = f"SELECT report.report_id FROM report JOIN mail ON mail.id = mail_id WHERE {which} ORDER BY report.id"
    return [name for (name,) in store.database.rows(query)]


def everything_goes(store: Store, holding: Holding) -> None:
    make_room(store.database, holding, 2**60)
    assert held_since(store.database, holding, 0).mails == 0
    assert list(check(store.database)) == []


@pytest.fixture
def mixed(store: Store) -> Store:
    """Mails that nothing proves between others. Two hold both kinds, or contradict what is proved."""
    proved = samples.report(samples.record(), report_id="verified")
    store.add([samples.filed(proved), forged("old"), forged("authenticated", AUTHENTICATED), forged("new")])
    store.add([samples.filed(replace(proved, digest=b"x" * 32), raw=b"a conflict")])
    both = samples.report(samples.record(), report_id="beside it"), samples.report(samples.record(), report_id="proved")
    store.add([replace(samples.filed(*both, raw=b"both"), trusts=(FORGED, VERIFIED))])
    store.add([tls_mail(tls()), samples.filed_as(b"letter", MailContents((), ())), forged("last")])
    return store


def test_the_oldest_raw_mail_goes_first_and_its_report_stays(mixed: Store) -> None:
    reports = named(mixed)
    gone = make_room(mixed.database, RAW, 1)
    assert (gone.mails, named(mixed, "raw IS NULL"), count_gone(mixed.database)) == (1, ["old"], 1)
    make_room(mixed.database, RAW, 1)
    assert named(mixed, "raw IS NULL") == ["old", "new"]
    make_room(mixed.database, RAW, 1)
    assert named(mixed, "raw IS NULL") == ["old", "new", "last"]  # whoever is known goes after whoever is not
    everything_goes(mixed, RAW)
    assert named(mixed, "raw IS NULL") == ["old", "authenticated", "new", "last"]
    assert named(mixed) == reports
    assert make_room(mixed.database, RAW, 1).mails == 0


def test_the_oldest_unverified_report_goes_first_with_its_records_sums_and_mail(mixed: Store) -> None:
    before = samples.everything(mixed.database)
    mixed.add([forged("one more", records=50)])
    gone = make_room(mixed.database, REPORTS, 1)
    assert (gone.mails, "old" in named(mixed), "new" in named(mixed)) == (1, False, True)
    everything_goes(mixed, REPORTS)
    assert named(mixed) == ["verified", "beside it", "proved"]
    left = samples.everything(mixed.database)
    for table in ("rollup_day", "rollup_source"):
        assert {row[2] for row in left[table]} == {Grade.VERIFIED, Grade.UNVERIFIED}  # what is beside it, too
        verified = [row for row in before[table] if Grade.VERIFIED in row]
        assert [row for row in left[table] if Grade.VERIFIED in row] == verified
    ((letters,),) = mixed.database.rows("SELECT COUNT(*) FROM mail WHERE size = 6")
    assert letters == 1


def test_a_report_that_went_can_come_again(mixed: Store) -> None:
    everything_goes(mixed, REPORTS)
    mixed.add([forged("old", VERIFIED)])
    assert "old" in named(mixed)
    assert list(check(mixed.database)) == []


def test_tls_reports_count_as_the_others_do(store: Store) -> None:
    store.add([replace(tls_mail(tls()), tls_trusts=(trust,)) for trust in (FORGED,)])
    assert held_since(store.database, RAW, 0).mails == held_since(store.database, REPORTS, 0).mails == 1
    everything_goes(store, REPORTS)
    assert store.list_tls() == []


def test_what_nobody_checked_is_not_called_forged(store: Store) -> None:
    store.add([forged("not checked", UNCHECKED)])
    assert held_since(store.database, REPORTS, 0).mails == 0
    everything_goes(store, RAW)
    assert (named(store), named(store, "raw IS NULL")) == (["not checked"], ["not checked"])


def test_a_superseded_copy_goes_and_the_proved_one_stays(store: Store) -> None:
    report = samples.report(samples.record())
    for trust in (FORGED, VERIFIED):
        store.add([samples.filed(report, trust=trust)])
    everything_goes(store, REPORTS)
    assert [row.grade for row in store.list_reports()] == ["verified"]


def test_a_report_that_has_the_place_of_another_goes_after_it(store: Store) -> None:
    """It was verified once, and graded anew since: without it the copy behind it would count in no sum."""
    report = samples.report(samples.record())
    for trust in (AUTHENTICATED, VERIFIED):
        store.add([samples.filed(report, trust=trust)])
    with store.database.transaction():
        store.database.run("UPDATE report SET grade = ? WHERE superseded_by IS NULL", (Grade.UNVERIFIED.value,))
    make_room(store.database, REPORTS, 1)
    assert [row.grade for row in store.list_reports()] == ["unverified"]
    make_room(store.database, REPORTS, 1)
    assert not store.list_reports()


def test_counting_goes_on_where_it_ended(mixed: Store) -> None:
    for holding in (RAW, REPORTS):
        first = held_since(mixed.database, holding, 0)
        assert (first.mails, held_since(mixed.database, holding, first.last).mails) == (4, 0)
    mixed.add([forged("after")])
    assert held_since(mixed.database, REPORTS, first.last).mails == 1


@pytest.mark.parametrize("holding", [RAW, REPORTS])
def test_as_much_goes_as_is_asked_for(store: Store, holding: Holding) -> None:
    store.add([forged(f"{number:05d}") for number in range(900)])
    held = held_since(store.database, holding, 0)
    gone = make_room(store.database, holding, held.size // 2)
    rest = held_since(store.database, holding, 0)
    assert held.size == gone.size + rest.size
    assert 0.49 * held.size < rest.size <= held.size / 2
    assert list(check(store.database)) == []


@pytest.mark.parametrize(
    "letters", ["r", "\N{HIRAGANA LETTER A}", "\N{HOSPITAL}"], ids=["of 1 byte", "of 3 bytes", "of 4 bytes"]
)
def test_long_texts_count_by_their_bytes(store: Store, letters: str) -> None:
    long = samples.record()
    store.add(
        [samples.filed(samples.report(long._replace(said=long.said._replace(header_from=letters * 999))), trust=FORGED)]
    )
    assert held_since(store.database, REPORTS, 0).size > 999 * len(letters.encode())


def test_a_mail_of_which_nothing_is_left_is_forgotten_after_its_time(store: Store) -> None:
    contents: Sequence[MailContents] = (MailContents((), ()), MailContents((), (Unreadable("a.xml", "ratio"),)))
    store.add([samples.filed_as(b"%d" % n, one) for n, one in enumerate(contents)])
    store.add([forged("old"), samples.filed(samples.report(samples.record()))])
    assert prune(store.database, Kind.RAW, samples.BEGIN + 200_000) == 4
    assert store.database.rows("SELECT COUNT(*) FROM mail") == [(2,)]
    prune(store.database, Kind.UNVERIFIED, samples.BEGIN + 200_000)
    prune(store.database, Kind.RAW, samples.BEGIN + 200_000)
    assert store.database.rows("SELECT COUNT(*) FROM mail") == [(1,)]
    assert list(check(store.database)) == []
