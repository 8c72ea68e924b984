"""What a store answers: sources, reporters, days, selectors, lists; only what is proved, unless asked otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from mailguard.feedback.envelope import ReceivedMail
from mailguard.feedback.mail import Ignored, MailContents, MailKind
from mailguard.feedback.report import FailureReport, TlsFailure, TlsPolicy, TlsReport
from mailguard.store import Filed, Outcome, Reader, Store, open_store
from mailguard.store.reports import DayRow, KnownReporter, ReporterRow, SelectorRow, SourceRow, Window
from mailguard.trust.grade import UNVERIFIED, Grade, Trust
from tests.store.samples import AUTHENTICATED, BEGIN, DOMAIN, VERIFIED, filed, record, report

DAY = date(2026, 9, 21)  # of BEGIN
WINDOW = Window(DOMAIN, DAY, DAY + timedelta(days=1))
EVERY_GRADE = Window(DOMAIN, DAY, DAY + timedelta(days=1), Grade.UNVERIFIED)
OTHER = Trust(Grade.VERIFIED, "other.example")

FIRST = report(record(count=3), record(count=4), record("192.0.2.66", 50, passes=False), record(count=1, passes=False))
MAILS = (
    filed(FIRST),
    filed(report(record(count=10, selector="k2"), org_name="Other", report_id="o-1"), trust=OTHER),
    filed(report(record("192.0.2.99", 1000), report_id="forged"), trust=UNVERIFIED),
    filed(report(record("192.0.2.98", 200), report_id="half"), trust=AUTHENTICATED),
    filed(report(record("192.0.2.1", 7), report_id="late", begin=BEGIN + 86_400)),
    filed(report(record("192.0.2.1", 7), report_id="elsewhere", domain="other.example.jp")),
    filed(report(record("192.0.2.1", 5000))),  # conflict
    filed(FIRST, trust=UNVERIFIED),  # duplicate
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "db") as store:
        store.add(MAILS)
        yield store


def answers(reader: Reader) -> list[Any]:
    """Everything that can be asked."""
    windows = (WINDOW, EVERY_GRADE, Window(DOMAIN, DAY, DAY + timedelta(days=9), Grade.AUTHENTICATED))
    asked = (reader.sources, reader.reporters, reader.days, reader.selectors, reader.list_reports)
    found = [[ask(window) for ask in asked] for window in windows]
    records = [sorted(map(repr, reader.records(window))) for window in windows]
    return [*found, records, reader.known_reporters(), reader.list_reports(), reader.show_report(1)]


def test_sources(store: Store) -> None:
    assert store.sources(WINDOW) == [
        SourceRow("192.0.2.66", messages=50, passed=0, dkim_aligned=0, spf_aligned=0, stopped=50, reporters=1),
        SourceRow("192.0.2.1", messages=18, passed=17, dkim_aligned=17, spf_aligned=0, stopped=1, reporters=2),
    ]
    assert [row.source_ip for row in store.sources(EVERY_GRADE)][:2] == ["192.0.2.99", "192.0.2.98"]


def test_reporters(store: Store) -> None:
    assert store.reporters(WINDOW) == [
        ReporterRow("reporter.example", 1, 58, "reporter.example", Grade.VERIFIED),
        ReporterRow("Other", 1, 10, "other.example", Grade.VERIFIED),
    ]
    assert store.reporters(EVERY_GRADE)[0] == ReporterRow("reporter.example", 1, 1000, "", Grade.UNVERIFIED)


def test_days(store: Store) -> None:
    fortnight = Window(DOMAIN, DAY - timedelta(days=7), DAY + timedelta(days=7))
    assert store.days(fortnight) == [
        DayRow(DAY, "other.example", Grade.VERIFIED, "none", "pass", "fail", 10),
        DayRow(DAY, "reporter.example", Grade.VERIFIED, "none", "pass", "fail", 7),
        DayRow(DAY, "reporter.example", Grade.VERIFIED, "reject", "fail", "fail", 51),
        DayRow(DAY + timedelta(days=1), "reporter.example", Grade.VERIFIED, "none", "pass", "fail", 7),
    ]


def test_selectors(store: Store) -> None:
    assert store.selectors(WINDOW) == [SelectorRow(DOMAIN, "s1", 7, 51), SelectorRow(DOMAIN, "k2", 10, 0)]
    assert store.own_selectors(WINDOW) == ("s1", "k2")


def test_known_reporters(store: Store) -> None:
    assert store.known_reporters() == [
        KnownReporter("Other", "other.example", DAY, DAY, 1),
        KnownReporter("reporter.example", "reporter.example", DAY, DAY + timedelta(days=1), 3),
    ]


@pytest.mark.parametrize(
    "window",
    [
        Window(DOMAIN, DAY - timedelta(days=9), DAY),
        Window(DOMAIN, DAY + timedelta(days=2), DAY + timedelta(days=9)),
        Window("nobody.example.jp", DAY, DAY + timedelta(days=1)),
    ],
)
def test_other_windows_and_other_domains_show_nothing(store: Store, window: Window) -> None:
    assert store.sources(window) == store.reporters(window) == store.days(window) == store.selectors(window) == []
    assert list(store.records(window)) == store.list_reports(window) == []


def test_the_last_received_are_listed_first_and_as_many_as_wanted(store: Store) -> None:
    assert [row.report_id for row in store.list_reports(limit=2)] == ["elsewhere", "late"]
    assert [row.conflicts for row in store.list_reports()] == [0, 0, 0, 0, 0, 1]


def test_one_report_is_shown_with_its_mail_and_its_conflicts(store: Store) -> None:
    shown = store.show_report(1)
    assert shown is not None
    assert (shown["grade"], shown["reporter"], shown["messages"], shown["p"]) == (
        "verified",
        VERIFIED.domain,
        58,
        "none",
    )
    assert shown["conflicts"] == [{"mail_id": 7, "records_kept": 1, "messages": 5000}]
    assert shown["mail"]["received_at"] == BEGIN + 100_000
    assert store.show_report(99) is None


def test_records_come_with_what_their_report_says(store: Store) -> None:
    rows = list(store.records(WINDOW))
    assert [(row["source_ip"], row["messages"]) for row in rows] == [
        ("192.0.2.1", 3),
        ("192.0.2.1", 4),
        ("192.0.2.66", 50),
        ("192.0.2.1", 1),
        ("192.0.2.1", 10),
    ]
    assert (rows[0]["dkim"], rows[0]["spf"]) == ([[DOMAIN, "s1", "pass"]], [["host.example.net", "mfrom", "softfail"]])
    assert (rows[0]["envelope_from"], rows[0]["envelope_to"]) == (None, "")


def test_what_a_report_says_is_never_sql(store: Store) -> None:
    evil = "'); DROP TABLE report; --"
    store.add([filed(report(record(), org_name=evil, report_id=evil), trust=Trust(Grade.VERIFIED, evil))])
    assert evil in [row.org_name for row in store.reporters(WINDOW)]
    assert store.sources(Window(evil, DAY, DAY + timedelta(days=1))) == []


TLS = TlsReport(
    organization="reporter.example",
    contact="tls@reporter.example",
    report_id="t\0-1",
    begin=BEGIN,
    end=BEGIN + 86_399,
    policies=(
        TlsPolicy("sts", DOMAIN, ("version: STSv1",), ("mx.example.jp",), 5, 2**70, (_FAILED := TlsFailure(
            "certificate-expired", "192.0.2.1", "mx.example.jp", "", "192.0.2.2", None, "\ud800", ""
        ),)),
    ),
    read=1,
    repaired=0,
    dropped=0,
    defects=(),
    defects_omitted=0,
    digest=b"t" * 32,
)  # fmt: skip


def test_tls_reports_are_kept_once(store: Store) -> None:
    contents = MailContents((), (), tls_reports=(TLS, TLS))
    (stored,) = store.add([Filed(ReceivedMail(b"tls", BEGIN), contents, ())])
    assert stored.tls_outcomes == (Outcome.STORED, Outcome.DUPLICATE)
    (again,) = store.add([Filed(ReceivedMail(b"tls again", BEGIN), contents, ())])
    assert again.tls_outcomes == (Outcome.DUPLICATE, Outcome.DUPLICATE)
    assert store.database.rows("SELECT domain, successful, failed FROM tls_policy") == [(DOMAIN, 5, 2**63 - 1)]


FAILURE = FailureReport(
    *(
        "auth-failure",
        "dmarc",
        DOMAIN,
        "a.example",
        "b.example",
        "s1",
        "192.0.2.1",
        BEGIN,
        "reject",
        "",
        1,
        "mx.example",
    ),
    defects=(),
)


@pytest.mark.parametrize(
    "contents",
    [
        MailContents((), (), failure_reports=(FAILURE,)),
        MailContents((), (), ignored=(Ignored("", MailKind.FAILURE),)),
        MailContents((report(),), (), ignored=(Ignored("", MailKind.FAILURE),)),
    ],
    ids=["wanted", "not wanted", "beside another"],
)
def test_a_mail_with_a_failure_report_is_not_kept_itself(store: Store, contents: MailContents) -> None:
    (stored,) = store.add(
        [Filed(ReceivedMail(b"a patient's letter", BEGIN), contents, (VERIFIED,) * len(contents.reports))]
    )
    assert store.database.rows("SELECT raw FROM mail WHERE id = ?", (stored.mail_id,)) == [(None,)]
    rows = store.database.rows("SELECT reported_domain, arrival FROM failure_report")
    assert rows == ([(DOMAIN, BEGIN)] if contents.failure_reports else [])
