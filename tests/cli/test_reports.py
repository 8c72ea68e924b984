"""``mailguard reports``: lists, pages, exports; nothing in them is ever obeyed."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mailguard.cli import main
from mailguard.feedback.mail import MailContents
from mailguard.feedback.report import TlsFailure, TlsPolicy
from mailguard.store import open_store
from mailguard.trust.grade import UNVERIFIED
from tests.feedback.mails import gzipped_mail
from tests.feedback.mails import report as report_xml
from tests.store.samples import filed_as
from tests.store.test_other_reports import failure_mail, tls, tls_mail
from tests.store.test_queries import MAILS

Run = Callable[..., Result]
EVIL = ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\tx", "a\u202egnp.exe", "\x1b[31mred", 'a","b\r\nc']


@pytest.fixture
def place(tmp_path: Path) -> Path:
    with open_store(tmp_path / "db") as store:
        store.add(MAILS)
    return tmp_path / "db"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, place: Path) -> Run:
    monkeypatch.setenv("MAILGUARD_LANG", "en")

    def run(*arguments: object) -> Result:
        return CliRunner().invoke(main, ["reports", *map(str, arguments), "--database", str(place)])

    return run


def rows(done: Result) -> list[dict[str, str]]:
    assert done.exit_code == 0, done.output
    text = done.stdout_bytes.decode("utf-8")
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:], newline="")))


def test_list_as_text(run: Run) -> None:
    done = run("list")
    assert done.exit_code == 0
    assert done.output.splitlines() == [
        "DMARC aggregate reports",
        "  Counted - the sender is verified:",
        "       6  2026-09-21  other.example.jp  reporter.example  7 messages",
        "       5  2026-09-22  clinic.example.jp  reporter.example  7 messages",
        '       2  2026-09-21  clinic.example.jp  other.example "Other"  10 messages',
        "       1  2026-09-21  clinic.example.jp  reporter.example  58 messages  (contradicted 1 times)",
        "    Sum (reports: 4): 82 messages",
        "  Kept apart, and counted nowhere - the sender is not verified:",
        '       4  2026-09-21  clinic.example.jp  stranger.example "reporter.example"  200 messages'
        "  (sender known, not proved to be the reporter)",
        "       3  2026-09-21  clinic.example.jp  reporter.example  1,000 messages  (sender not proved)",
        "    Sum (reports: 2): 1,200 messages",
    ]


def test_what_is_not_counted_is_said_in_japanese(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILGUARD_LANG", "ja")
    text = run("list").output
    assert "集計に入るもの（送り手を確認済み）" in text
    assert "分けて保管し、どの数字にも入れないもの（送り手は未確認）" in text
    assert not any(word in text for word in ("Counted", "counted", "messages", "sender"))


def test_other_kinds_are_listed_with_what_they_count(run: Run, place: Path) -> None:
    with open_store(place) as store:
        store.add([tls_mail(tls()), tls_mail(tls("t-2"), trust=UNVERIFIED), failure_mail()])
    assert run("list", "--kind", "tls").output.splitlines() == [
        "TLS reports",
        "  Counted - the sender is verified:",
        "       1  2026-09-21  clinic.example.jp  reporter.example  5 sessions succeeded, 2 failed",
        "    Sum (reports: 1): 5 sessions succeeded, 2 failed",
        "  Kept apart, and counted nowhere - the sender is not verified:",
        "       2  2026-09-21  clinic.example.jp  reporter.example  5 sessions succeeded, 2 failed"
        "  (sender not proved)",
        "    Sum (reports: 1): 5 sessions succeeded, 2 failed",
    ]
    assert run("list", "--kind", "failure").output.splitlines() == [
        "Failure reports (nothing is ever counted from these)",
        "       1  2026-09-22  clinic.example.jp  dmarc  192.0.2.66  reporter.example",
    ]
    whole = run("list").output
    assert [title in whole for title in ("DMARC aggregate", "TLS reports", "Failure reports")] == [True] * 3
    items = json.loads(run("list", "--format", "json").output)
    assert Counter((item["kind"], item["counted"]) for item in items) == {
        ("aggregate", True): 4,
        ("aggregate", False): 2,
        ("tls", True): 1,
        ("tls", False): 1,
        ("failure", False): 1,
    }
    assert len(rows(run("list", "--format", "csv"))) == 9


def test_other_kinds_are_shown_and_exported(run: Run, place: Path) -> None:
    with open_store(place) as store:
        store.add([tls_mail(tls(organization="=cmd|' /C calc'!A0")), failure_mail()])
    shown = json.loads(run("show", 1, "--kind", "tls", "--format", "json").output)
    assert (shown["grade"], shown["policies"][0]["successful"], shown["begin"]) == (
        "verified",
        5,
        "2026-09-21T14:13:20Z",
    )
    assert "grade: verified (sender verified)" in run("show", 1, "--kind", "tls").output
    assert "auth_failure: dmarc" in run("show", 1, "--kind", "failure").output
    assert run("show", 2, "--kind", "failure").exit_code == 2
    (policy,) = rows(run("export", "--kind", "tls"))
    assert (policy["org_name"], policy["failed"], policy["mx"]) == ("'=cmd|' /C calc'!A0", "2", '["mx.example.jp"]')
    (failure,) = rows(run("export", "--kind", "failure"))
    assert (failure["reported_domain"], failure["received_at"]) == ("clinic.example.jp", "2026-09-22T18:00:00Z")
    assert "patient" not in run("export", "--kind", "failure", "--format", "json").output


def test_export_of_other_kinds_leaves_out_what_is_not_proved(run: Run, place: Path) -> None:
    with open_store(place) as store:
        store.add([tls_mail(tls(), trust=UNVERIFIED), failure_mail(UNVERIFIED)])
    for kind in ("tls", "failure"):
        alone = run("export", "--kind", kind)
        assert rows(alone) == []
        assert "not proved enough: 1. --grade unverified shows them" in alone.stderr
        assert run("export", "--kind", kind, "--grade", "unverified").stderr == ""
        assert len(rows(run("export", "--kind", kind, "--grade", "unverified"))) == 1


def test_list_as_csv_and_json_say_the_same(run: Run) -> None:
    items: list[dict[str, Any]] = json.loads(run("list", "--format", "json").output)
    told = [{key: "" if value is None else str(value) for key, value in item.items()} for item in items]
    assert told == rows(run("list", "--format", "csv"))
    assert len(items) == 6


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ((), 6),
        (("--grade", "verified"), 4),
        (("--domain", "Clinic.example.jp."), 5),
        (("--since", "2026-09-22"), 1),
        (("--until", "2026-09-22", "--domain", "clinic.example.jp"), 4),
        (("--limit", "2"), 2),
        (("--domain", "nobody.example"), 0),
    ],
)
def test_list_is_narrowed(run: Run, options: tuple[str, ...], count: int) -> None:
    assert len(json.loads(run("list", "--format", "json", *options).output)) == count
    assert len(rows(run("list", "--format", "csv", *options))) == count


def test_nothing_to_list_is_said(run: Run) -> None:
    assert run("list", "--domain", "nobody.example").output == "No reports.\n"


def test_show(run: Run) -> None:
    shown = json.loads(run("show", 1, "--format", "json").output)
    assert (shown["begin"], shown["messages"], shown["mail"]["way"]) == ("2026-09-21T14:13:20Z", 58, "smtp")
    text = run("show", 1).output
    assert "policy_domain: clinic.example.jp" in text
    assert "mail_id 7, records_kept 1, messages 5000" in text


def test_a_number_without_report_is_wrong_use(run: Run) -> None:
    done = run("show", 99)
    assert (done.exit_code, done.output) == (2, "mailguard: There is no report 99.\n")


def test_export_counts_what_is_proved_and_the_rest_only_when_asked(run: Run) -> None:
    assert sum(int(row["messages"]) for row in rows(run("export"))) == 58 + 10 + 7 + 7
    everything = json.loads(run("export", "--format", "json", "--grade", "unverified").output)
    assert sum(row["messages"] for row in everything) == 58 + 10 + 7 + 7 + 1000 + 200


@pytest.mark.parametrize("evil", EVIL)
def test_what_strangers_wrote_is_shown_and_never_obeyed(run: Run, place: Path, evil: str) -> None:
    from mailguard.trust.grade import Grade, Trust
    from tests.store.samples import filed, record, report

    row = record()
    said = row.said._replace(header_from=evil, envelope_to=evil)
    with open_store(place) as store:
        one = report(row._replace(said=said), org_name=evil, report_id=evil, domain=evil)
        store.add([filed(one, trust=Trust(Grade.VERIFIED, "evil.example"))])
        failure = TlsFailure(evil, evil, evil, evil, evil, 1, evil, evil)
        policy = TlsPolicy(evil, evil, (evil,), (evil,), 1, 1, (failure,))
        store.add([tls_mail(tls(evil, policy, organization=evil), trust=Trust(Grade.VERIFIED, "evil.example"))])
    for done in (run("list", "--format", "csv"), run("export"), run("export", "--kind", "tls")):
        for found in rows(done):
            for value in found.values():
                assert not value.startswith(("=", "+", "-", "@", "\t", "\r"))
    for done in (run("list"), run("show", 7), run("show", 1, "--kind", "tls")):
        assert done.exit_code == 0
        assert not {"\x1b", "\u202e", "\r", "\t"} & set(done.output)


def test_reprocess_reads_the_kept_mails_again(run: Run, place: Path) -> None:
    raw = gzipped_mail(report_xml())
    with open_store(place) as store:
        store.add([filed_as(raw, MailContents((), ()))])
    done = run("reprocess")
    assert done.exit_code == 0
    assert "Mails read again: 9." in done.output
    assert "1 found" in done.output
    assert "1 found" not in run("reprocess").output
    assert CliRunner().invoke(main, ["db", "check", "--database", str(place)]).exit_code == 0


def test_the_catalogue_knows_every_text(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    monkeypatch.setenv("MAILGUARD_LANG", "ja")
    done = CliRunner().invoke(main, ["reports", "list", "--domain", "nobody.example", "--database", str(place)])
    assert done.output == "レポートはありません。\n"


@pytest.mark.parametrize(
    ("form", "stdout"), [("text", "Nothing was received yet."), ("json", "[]"), ("csv", "\ufeffkind,id,")]
)
def test_a_list_before_the_first_report_says_so_kindly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, stdout: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.toml").write_text('[database]\nurl = "own.db"\n')
    for config in ([], ["--config", "m.toml"]):
        done = CliRunner().invoke(main, ["reports", "list", "--lang", "en", "--format", form, *config])
        assert done.exit_code == 0
        assert done.stdout.startswith(stdout)
    assert not list(tmp_path.glob("*.db"))
    assert CliRunner().invoke(main, ["reports", "list", "--database", "typo.db"]).exit_code == 2
