"""``mailguard reports``: lists, pages, exports; nothing in them is ever obeyed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mailguard.cli import main
from mailguard.feedback.mail import MailContents
from mailguard.store import open_store
from tests.feedback.mails import gzipped_mail
from tests.feedback.mails import report as report_xml
from tests.store.samples import filed_as
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
    first, *_, last = done.output.splitlines()
    assert first.split() == ["6", "verified", "2026-09-21", "other.example.jp", "reporter.example", "7", "messages"]
    assert last.endswith("58 messages  (contradicted 1 times)")


def test_list_as_csv_and_json_say_the_same(run: Run) -> None:
    items: list[dict[str, Any]] = json.loads(run("list", "--format", "json").output)
    assert [{key: str(value) for key, value in item.items()} for item in items] == rows(run("list", "--format", "csv"))
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
    changed = {name: getattr(row, name) for name in row.__slots__} | {"header_from": evil, "envelope_to": evil}
    with open_store(place) as store:
        one = report(type(row)(**changed), org_name=evil, report_id=evil, domain=evil)
        store.add([filed(one, trust=Trust(Grade.VERIFIED, "evil.example"))])
    for done in (run("list", "--format", "csv"), run("export")):
        for found in rows(done):
            for value in found.values():
                assert not value.startswith(("=", "+", "-", "@", "\t", "\r"))
    for done in (run("list"), run("show", 7)):
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
