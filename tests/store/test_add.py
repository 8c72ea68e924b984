"""Putting reports away: every message counted once, under the best proof there is, whoever sends what when."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailguard.errors import OperationError
from mailguard.feedback.envelope import ReceivedMail
from mailguard.feedback.mail import MailContents
from mailguard.feedback.report import Defect, DefectKind, Record, Unreadable
from mailguard.store import Filed, Outcome, Store, open_store
from mailguard.store.encode import pack, unpack
from mailguard.trust.grade import UNVERIFIED, Grade, Trust
from tests.store.samples import AUTHENTICATED, BEGIN, EVERYTHING, VERIFIED, everything, filed, record, report

STORED, DUPLICATE, CONFLICT = Outcome.STORED, Outcome.DUPLICATE, Outcome.CONFLICT
ANOTHER = Trust(Grade.VERIFIED, "another.example")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "db") as store:
        yield store


def outcomes(store: Store, *batch: Filed) -> list[Outcome]:
    return [outcome for stored in store.add(batch) for outcome in stored.outcomes]


def counted(store: Store) -> dict[str, int]:
    """Messages in the daily sums, by grade and reporter."""
    rows = store.database.rows("SELECT grade, reporter, SUM(messages) FROM rollup_day GROUP BY grade, reporter")
    return {f"{grade} {reporter}": messages for grade, reporter, messages in rows}


def test_a_batch_is_stored_and_told_in_order(store: Store) -> None:
    first, second = store.add([filed(report(record(count=2))), filed(report(report_id="a"), report(report_id="b"))])
    assert (first.new, first.outcomes) == (True, (STORED,))
    assert (second.new, second.outcomes) == (True, (STORED, STORED))
    assert first.mail_id != second.mail_id
    assert counted(store) == {"verified reporter.example": 2}


def test_an_empty_batch_is_no_trouble(store: Store) -> None:
    assert store.add([]) == ()


@pytest.mark.parametrize("together", [True, False])
def test_the_same_mail_twice_changes_nothing(store: Store, together: bool) -> None:
    mail = filed(report(record(count=5)))
    if together:
        first, second = store.add([mail, mail])
    else:
        ((first,), (second,)) = store.add([mail]), store.add([mail])
    assert (first.new, second.new, second.mail_id) == (True, False, first.mail_id)
    assert (first.outcomes, second.outcomes) == ((STORED,), (DUPLICATE,))
    assert counted(store) == {"verified reporter.example": 5}


def test_the_same_report_in_another_mail_is_a_duplicate(store: Store) -> None:
    one = report(record(count=5))
    assert outcomes(store, filed(one), filed(one, raw=b"packed otherwise")) == [STORED, DUPLICATE]
    assert counted(store) == {"verified reporter.example": 5}


@pytest.mark.parametrize("together", [True, False])
def test_other_content_under_the_same_key_is_a_conflict_and_the_first_stays(store: Store, together: bool) -> None:
    honest, forged = filed(report(record(count=5))), filed(report(record(count=5000)))
    told = outcomes(store, honest, forged) if together else [*outcomes(store, honest), *outcomes(store, forged)]
    assert told == [STORED, CONFLICT]
    assert outcomes(store, forged) == [CONFLICT]
    assert counted(store) == {"verified reporter.example": 5}
    assert store.database.rows("SELECT records_kept, messages FROM report_conflict") == [(1, 5000)]
    assert store.list_reports()[0].conflicts == 1


@pytest.mark.parametrize(
    "stranger",
    [ANOTHER, AUTHENTICATED, Trust(Grade.AUTHENTICATED, "reporter.example"), UNVERIFIED],
    ids=["another reporter", "authenticated", "same domain, not proved to be the reporter's", "unverified"],
)
@pytest.mark.parametrize("stranger_first", [True, False])
def test_nobody_makes_the_report_of_another_vanish(store: Store, stranger: Trust, stranger_first: bool) -> None:
    real, forged = filed(report(record(count=5))), filed(report(record(count=9)), trust=stranger)
    batch = [forged, real] if stranger_first else [real, forged]
    assert outcomes(store, *batch) == [STORED, STORED]
    assert counted(store)["verified reporter.example"] == 5
    assert store.database.rows("SELECT COUNT(*) FROM report WHERE superseded_by IS NOT NULL") == [(0,)]


@pytest.mark.parametrize("worse", [UNVERIFIED, AUTHENTICATED])
@pytest.mark.parametrize("together", [True, False])
def test_a_better_proved_copy_takes_the_place_of_a_worse_one(store: Store, worse: Trust, together: bool) -> None:
    one = report(record(count=5), record("192.0.2.9", 2, passes=False))
    batches = [[filed(one, trust=worse), filed(one)]] if together else [[filed(one, trust=worse)], [filed(one)]]
    assert [outcome for batch in batches for outcome in outcomes(store, *batch)] == [STORED, STORED]
    assert counted(store) == {"verified reporter.example": 7}
    assert store.database.rows("SELECT grade, superseded_by FROM report ORDER BY id") == [
        (worse.grade.value, 2),
        ("verified", None),
    ]
    before = everything(store.database)
    assert outcomes(store, filed(one, trust=worse), filed(one)) == [DUPLICATE, DUPLICATE]
    assert everything(store.database) == before


def test_a_worse_proved_copy_is_a_duplicate(store: Store) -> None:
    one = report(record(count=5))
    assert outcomes(store, filed(one), filed(one, trust=AUTHENTICATED), filed(one, trust=UNVERIFIED)) == [
        STORED,
        DUPLICATE,
        DUPLICATE,
    ]
    assert counted(store) == {"verified reporter.example": 5}


def test_the_same_mail_may_come_again_better_proved(store: Store) -> None:
    one = report(record(count=5))
    (first,) = store.add([filed(one, trust=UNVERIFIED, raw=b"mail")])
    (second,) = store.add([filed(one, raw=b"mail")])
    assert (second.new, second.mail_id, second.outcomes) == (False, first.mail_id, (STORED,))
    assert counted(store) == {"verified reporter.example": 5}


def test_proof_climbs_step_by_step(store: Store) -> None:
    one = report(record(count=5))
    for trust in (UNVERIFIED, AUTHENTICATED, VERIFIED):
        assert outcomes(store, filed(one, trust=trust)) == [STORED]
        assert len(counted(store)) == 1


def test_counts_beyond_32_bits_add_up(store: Store) -> None:
    outcomes(store, filed(report(*(record(count=2**32) for _ in range(3)))))
    assert counted(store) == {"verified reporter.example": 3 * 2**32}


def test_sources_without_messages_leave_no_sums(store: Store) -> None:
    outcomes(store, filed(report(record(count=0))))
    assert store.database.rows("SELECT COUNT(*) FROM record") == [(1,)]
    assert counted(store) == {}


def test_an_unreadable_mail_is_kept_with_its_reason(store: Store) -> None:
    contents = MailContents((), (Unreadable("report.xml.gz", "doctype"),))
    (stored,) = store.add([Filed(ReceivedMail(b"raw", BEGIN), contents, ())])
    assert (stored.new, stored.outcomes) == (True, ())
    assert store.database.rows("SELECT place, reason FROM unreadable") == [("report.xml.gz", "doctype")]
    assert unpack(store.database.rows("SELECT raw FROM mail")[0][0]) == b"raw"


def test_a_copy_that_was_a_duplicate_stays_one_whatever_came_under_its_key_since(store: Store) -> None:
    first, other = report(record()), report(record(count=2))
    mails = [filed(first, trust=VERIFIED), filed(first, trust=AUTHENTICATED), filed(other, trust=AUTHENTICATED)]
    assert outcomes(store, *mails) == [STORED, DUPLICATE, STORED]
    once = everything(store.database)
    assert outcomes(store, *mails) == [DUPLICATE, DUPLICATE, DUPLICATE]
    assert everything(store.database) == once


def test_texts_that_databases_refuse_are_mended(store: Store) -> None:
    evil = "a\0b\ud800'); DROP TABLE report; --" + "長" * 2000
    said = record().said._replace(header_from=evil, envelope_to=evil)
    one = report(Record("192.0.2.1", 1, said), report_id=evil, org_name=evil, domain=evil)
    mail = ReceivedMail(b"raw", BEGIN, peer=evil, mail_from=evil, helo=evil, origin=evil, rcpt_to=(evil, evil))
    contents = MailContents((one,), (Unreadable(evil, evil),))
    assert outcomes(store, Filed(mail, contents, (UNVERIFIED,))) == [STORED]
    assert store.list_reports()[0].org_name.startswith("a\ufffdb?'); DROP TABLE")


def test_numbers_beyond_64_bits_are_cut(store: Store) -> None:
    assert outcomes(store, filed(report(record(), begin=2**70))) == [STORED]
    assert store.list_reports()[0].begin == 2**63 - 1


def test_defects_are_kept(store: Store) -> None:
    one = report(record())
    defects = (Defect(DefectKind.BENT, "record 1/row/count", "1.0"),)
    changed = {name: getattr(one, name) for name in one.__slots__} | {"defects": defects, "repaired": 1}
    outcomes(store, filed(type(one)(**changed)))
    shown = store.show_report(1)
    assert shown is not None
    assert shown["defects"] == [{"kind": "bent", "place": "record 1/row/count", "detail": "1.0"}]


def test_selectors_of_one_report_are_bounded(store: Store) -> None:
    outcomes(store, filed(report(*(record(selector=f"s{n}") for n in range(250)))))
    assert store.database.rows("SELECT COUNT(*) FROM report_selector") == [(100,)]


@pytest.mark.parametrize(
    "raw", [b"", b"x", b"Content-Transfer-Encoding: BASE64\r\n\r\n" + b"QUJD" * 5000, b"<a/>" * 999]
)
def test_a_mail_is_packed_and_unpacked(raw: bytes) -> None:
    assert unpack(pack(raw)) == raw


class Cut(Exception):
    pass


def test_whatever_breaks_between_two_statements_leaves_nothing_half_stored(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The power fails before the first statement, before the second, and so on until one run comes through."""
    old = report(record(count=5), record("192.0.2.9"))
    store.add([filed(old, trust=UNVERIFIED), filed(report(record(count=3), report_id="r-2"))])
    batch = [filed(old), filed(report(record(count=4), report_id="r-2")), filed(report(record(), report_id="r-3"))]
    before = everything(store.database)
    database = store.database
    left = 0

    def breaking(call):  # type: ignore[no-untyped-def]
        def wrapped(*args):  # type: ignore[no-untyped-def]
            nonlocal left
            if left == 0:
                raise Cut
            left -= 1
            return call(*args)

        return wrapped

    for name in ("run", "rows", "insert"):
        monkeypatch.setattr(database, name, breaking(getattr(database, name)))
    for cuts in range(100):
        left = cuts
        try:
            store.add(batch)
        except Cut:
            left = 100
            assert everything(database) == before
        else:
            break
    left = 1000
    assert cuts > 10
    assert len(everything(database)["report"]) == 4
    assert counted(store) == {"verified reporter.example": 10}


def test_rows_that_break_half_way_leave_nothing(store: Store) -> None:
    class Rows(tuple):  # type: ignore[type-arg]
        def __iter__(self):  # type: ignore[no-untyped-def]
            for n, row in enumerate(super().__iter__()):
                if n == 2:
                    raise Cut
                yield row

    whole = report(record("192.0.2.1"), record("192.0.2.2"), record("192.0.2.3"))
    changed = {name: getattr(whole, name) for name in whole.__slots__} | {"records": Rows(whole.records)}
    with pytest.raises(Cut):
        store.add([filed(type(whole)(**changed))])
    assert everything(store.database) == {table: [] for table in EVERYTHING}


def test_trouble_with_the_database_is_our_failure_and_nothing_is_kept(store: Store) -> None:
    store.database.run("DROP TABLE defect")
    with pytest.raises(OperationError, match="could not be stored"):
        store.add([filed(report())])
    assert store.database.rows("SELECT COUNT(*) FROM mail") == [(0,)]
