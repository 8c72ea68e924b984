"""``mailguard inspect``: what a file is, in plain words and for machines."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailguard.cli import main
from mailguard.feedback.limits import Limits
from mailguard.feedback.report import DefectKind
from mailguard.render import inspection
from tests.feedback.mails import gzipped_mail, record, report, zipped
from tests.feedback.suite import mail_cases, tls_cases, xml_cases

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs ``mailguard inspect`` on bytes in a file, or on standard input for no bytes."""
    monkeypatch.setenv("MAILGUARD_LANG", "en")
    monkeypatch.chdir(tmp_path)

    def call(data: bytes, *options: str, name: str = "report.eml") -> Result:
        (tmp_path / name).write_bytes(data)
        return CliRunner().invoke(main, ["inspect", name, *options])

    return call


ODD = report(record("192.0.2.1", 3), record("somewhere", 1), record("192.0.2.2", "1.0").replace(">pass<", ">Pass<"))


def test_a_report_in_plain_words(run: Run) -> None:
    shown = run(gzipped_mail(ODD))
    assert shown.exit_code == 0
    assert shown.stdout == (
        "report.eml: DMARC aggregate report: how a receiver judged mail in the name of a domain\n"
        "\n"
        "  reporter.example about clinic.example.jp  [report.xml.gz]\n"
        "    report id: r-1\n"
        "    period: 2026-09-21T14:13:20Z - 2026-09-22T14:13:19Z\n"
        "    policy found: p=none\n"
        "    records: 3 read, 2 kept (1 repaired), 1 dropped\n"
        "    messages: 4, of these 4 passed DMARC and 0 were quarantined or rejected\n"
        "    defects: 4\n"
        "      - record 2/source_ip: makes no sense (somewhere)\n"
        "      - record 3/count: understood, but not written as the standard wants it (1.0)\n"
        "      - record 3/dkim: understood, but not written as the standard wants it (Pass)\n"
        "      - record 3/auth_results/dkim/result: understood, but not written as the standard wants it (Pass)\n"
        "    sender: not checked; `mailguard ingest` checks who sent a mail\n"
    )


def test_the_same_in_japanese(run: Run) -> None:
    shown = run(gzipped_mail(ODD), "--lang", "ja").stdout
    assert "DMARC 集計レポート" in shown
    assert "確認していません" in shown
    assert "not written" not in shown


def test_the_same_for_machines(run: Run) -> None:
    document = json.loads(run(gzipped_mail(ODD), "--format", "json").stdout)
    (found,) = document["reports"]
    assert (document["source"], document["kind"]) == ("report.eml", "aggregate")
    assert (found["records_read"], found["records_kept"], found["repaired"], found["dropped"]) == (3, 2, 1, 1)
    assert found["defects"][0] == {"kind": "unusable", "place": "record 2/source_ip", "detail": "somewhere"}
    assert found["trust"] == {"grade": "not-checked"}


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (report().encode(), "a.xml", "aggregate"),
        (report().encode(), "no-name", "aggregate"),
        (zipped(report().encode()), "a.zip", "aggregate"),
        (zipped(tls_cases.TEXT_OF.encode()), "a.zip", "tls"),
        (tls_cases.TEXT_OF.encode(), "a.json", "tls"),
        (mail_cases.GOOD["forwarded twice"], "a.eml", "aggregate"),
        (mail_cases.GOOD["mbox line on top"], "a.eml", "aggregate"),
        (tls_cases.FAILURE, "a.eml", "failure"),
    ],
)
def test_anything_that_holds_a_report_is_known(run: Run, data: bytes, name: str, kind: str) -> None:
    shown = run(data, "--format", "json", name=name)
    assert (shown.exit_code, json.loads(shown.stdout)["kind"]) == (0, kind)


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (b"", "a.xml", "it is empty"),
        (b"unused", "a.xml", "it is called like a report, and is none"),
        (mail_cases.REFUSED["encrypted zip"][0], "a.eml", "it is encrypted"),
        (b"X: " + b"y" * 70_000 + b"\r\n\r\n", "a.eml", "this mail: it goes beyond a bound (header_bytes)"),
        (b"From: a@b.example\r\n\r\nHello\r\n", "a.eml", "a.eml: no report"),
    ],
)
def test_a_file_without_a_report_gives_1_and_says_why(run: Run, data: bytes, name: str, words: str) -> None:
    shown = run(data, name=name)
    assert shown.exit_code == 1
    assert words in shown.stdout


def test_a_file_that_cannot_be_opened_is_wrong_use(run: Run, tmp_path: Path) -> None:
    for path in ("missing", str(tmp_path)):
        assert CliRunner().invoke(main, ["inspect", path]).exit_code == 2


def test_standard_input(run: Run) -> None:
    shown = CliRunner().invoke(main, ["inspect", "-"], input=gzipped_mail(report()))
    assert (shown.exit_code, shown.stdout.splitlines()[0][:22]) == (0, "-: DMARC aggregate rep")


def test_failure_reports_are_named_and_read_only_when_wished_and_never_shown(run: Run) -> None:
    named = run(tls_cases.FAILURE)
    assert "Not read: part 3" in named.stdout
    read = run(tls_cases.FAILURE, "--failure-reports")
    assert "failed check: dmarc" in read.stdout
    for shown in (named.stdout, read.stdout, run(tls_cases.FAILURE, "--failure-reports", "--format", "json").stdout):
        assert not any(word in shown for word in ("Ms Patient", "patient.name", "somebody", "your results"))


def test_what_strangers_wrote_is_shown_and_never_obeyed(run: Run) -> None:
    evil = xml_cases.XML.replace("<org_name>reporter.example", "<org_name>\u202egoogle\u009b31m")
    shown = run(gzipped_mail(evil)).stdout
    assert r"\u{202e}google\u{9b}31m" in shown


def test_every_word_of_the_reader_has_its_sentence() -> None:
    assert set(inspection._DEFECTS) == {str(kind) for kind in DefectKind}
    bounds = {field.name for field in fields(Limits)}
    for name, (_, reasons) in mail_cases.REFUSED.items():
        assert all(reason in inspection._REASONS or reason in bounds for reason in reasons), name
