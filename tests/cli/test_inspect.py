"""``mailguard inspect``: what a file is, in plain words and for machines."""

from __future__ import annotations

import asyncio
import io
import json
import random
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from mailguard.cli import main
from mailguard.feedback.limits import Limits
from mailguard.feedback.report import DefectKind
from mailguard.render import inspection, trusting
from mailguard.render.inspection import in_words
from mailguard.sources.files import NotRead, read_sources
from mailguard.spool.frames import encode_file
from mailguard.trust.grade import Grade
from mailguard.trust.head import HeadFault
from mailguard.trust.judge import Reason
from mailguard.trust.proof import SignatureFault
from mailguard.worker.looking import ask_about, items_in
from tests.cli.world import served
from tests.dkim.keys import zone_txt
from tests.feedback.mails import gzipped_mail, record, report, zipped
from tests.feedback.suite import mail_cases, tls_cases, xml_cases
from tests.trust.mails import BODY, MAIL, NOW, PEER, by_smtp, rsa_pair, sign

Run = Callable[..., Result]
CORPUS = Path(__file__).parents[2] / "../shared/corpus"
SCHEMA = json.loads((Path(__file__).parents[2] / "mailguard/render/schema/inspect-1.schema.json").read_text("utf-8"))


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs ``mailguard inspect`` on bytes in a file, or on standard input for no bytes."""
    monkeypatch.setenv("MAILGUARD_LANG", "en")
    monkeypatch.setattr("mailguard.cli.inspect.time", SimpleNamespace(time=lambda: NOW))
    monkeypatch.chdir(tmp_path)

    def call(data: bytes, *options: str, name: str = "report.eml") -> Result:
        (tmp_path / name).write_bytes(data)
        asking = () if "--nameserver" in options else ("--no-trust",)
        return CliRunner().invoke(main, ["inspect", name, *asking, *options])

    return call


ODD = report(record("192.0.2.1", 3), record("somewhere", 1), record("192.0.2.2", "1.0").replace(">pass<", ">Pass<"))


def test_a_report_in_plain_words(run: Run) -> None:
    shown = run(gzipped_mail(ODD))
    assert shown.exit_code == 0
    assert shown.stdout == (
        "report.eml: DMARC aggregate report: how a receiver judged mail in the name of a domain\n"
        "  sender of the mail: not checked, as you wished (--no-trust)\n"
        "\n"
        "  reporter.example about clinic.example.jp\n"
        "    file: report.xml.gz\n"
        "    report id: r-1\n"
        "    period: 2026-09-21 14:13 to 2026-09-22 14:13 UTC\n"
        "    policy found: p=none\n"
        "    records: 3 read, 2 kept (1 repaired), 1 dropped\n"
        "    messages: 4, of these 4 passed DMARC and 0 were quarantined or rejected\n"
        "    defects: 4\n"
        "      - record 2/source_ip: makes no sense (somewhere)\n"
        "      - record 3/count: understood, but not written as the standard wants it (1.0)\n"
        "      - record 3/dkim: understood, but not written as the standard wants it (Pass)\n"
        "      - record 3/auth_results/dkim/result: understood, but not written as the standard wants it (Pass)\n"
        "    trust: sender not checked\n"
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
    assert found["trust"] == {"grade": "not-checked", "domain": "", "reasons": []}
    Draft202012Validator(SCHEMA).validate(document)


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
        (b"unused", "a.xml", "its name or type is that of a report, but it is none"),
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
    shown = CliRunner().invoke(main, ["inspect", "--no-trust", "-"], input=gzipped_mail(report()))
    assert (shown.exit_code, shown.stdout.splitlines()[0][:22]) == (0, "-: DMARC aggregate rep")


def test_failure_reports_are_named_and_read_only_when_wished_and_never_shown(run: Run) -> None:
    named = run(tls_cases.FAILURE)
    assert "Not read: part 3" in named.stdout
    read = run(tls_cases.FAILURE, "--failure-reports")
    assert "failed check: dmarc" in read.stdout
    for shown in (named.stdout, read.stdout, run(tls_cases.FAILURE, "--failure-reports", "--format", "json").stdout):
        assert not any(word in shown for word in ("Ms Patient", "patient.name", "somebody", "your results"))


NOBODY = ("--nameserver", "127.0.0.1:9", "--timeout", "0.2")
KEY = zone_txt("s1._domainkey.reporter.example", rsa_pair()[1])


def signed(mail: bytes = MAIL, **options: Any) -> bytes:
    return sign(mail.replace(BODY, report().encode()), **options)


def trust_of(shown: Result) -> tuple[Any, Any]:
    document = json.loads(shown.stdout)
    Draft202012Validator(SCHEMA).validate(document)
    return document["sender"], document["reports"][0]["trust"]


def test_a_sender_is_proved_by_the_key_in_dns(run: Run) -> None:
    with served(f'{KEY}\n_dmarc.reporter.example TXT "v=DMARC1; p=reject"') as dns:
        sender, trust = trust_of(run(signed(), "--format", "json", *dns.options))
        words = run(signed(), *dns.options).stdout
    assert (sender["dmarc"], sender["aligned"], trust["grade"], trust["domain"]) == (
        *("pass", ["dkim"]),
        *("verified", "reporter.example"),
    )
    assert "first-seen" not in trust["reasons"], "nobody looked whether it is"
    assert "sender of the mail: reporter.example, proved by DKIM\n" in words
    assert "trust: sender proved\n" in words


def test_a_signature_that_is_wrong_proves_nothing_and_why_is_said(run: Run) -> None:
    with served(KEY) as dns:
        shown = run(signed().replace(b"clinic", b"klinik"), *dns.options)
    assert "reporter.example, it says; nothing proves it" in shown.stdout
    assert "the body was changed after it was signed" in shown.stdout
    assert "trust: sender not proved" in shown.stdout


def test_a_signature_from_the_future_is_not_called_wrong(run: Run) -> None:
    with served(KEY) as dns:
        sender, trust = trust_of(run(signed(at=10**10), "--format", "json", *dns.options))
        shown = run(signed(at=10**10), *dns.options).stdout
    assert (sender["dmarc"], trust["reasons"]) == ("unchecked", ["could-not-be-checked"])
    assert "it was signed later than it came, so this cannot be said yet" in shown
    assert "is right, but does not count yet: it was made later than the mail came" in shown
    assert "not proved" not in shown


def test_silence_of_dns_is_not_taken_for_a_failure(run: Run) -> None:
    sender, trust = trust_of(run(signed(), "--format", "json", *NOBODY))
    assert (sender["dmarc"], trust["grade"], trust["reasons"]) == (
        *("unchecked", "could-not-be-checked"),
        ["could-not-be-checked"],
    )
    for language, words in (("en", "could not be checked"), ("ja", "まだ確かめられていません")):
        shown = run(signed(), *NOBODY, "--lang", language).stdout
        assert words in shown
        assert "not proved" not in shown
        assert "未確認" not in shown


def test_what_cannot_be_true_is_unverified_whatever_dns_says(run: Run) -> None:
    for options in (NOBODY, ("--no-trust",)):
        _, trust = trust_of(run(signed(), "--format", "json", "--domain", "other.example", *options))
        assert (trust["grade"], "foreign-domain" in trust["reasons"]) == ("unverified", True)


def test_a_report_without_its_mail_has_no_sender(run: Run) -> None:
    sender, trust = trust_of(run(report().encode(), "--format", "json", *NOBODY, name="a.xml"))
    assert (sender["status"], trust["grade"], trust["reasons"][0]) == ("no-mail", "unverified", "no-mail")


def test_a_trusted_host_is_believed_and_no_other(run: Run) -> None:
    field = b"Authentication-Results: mx.clinic.example; dmarc=pass header.from=reporter.example\r\n"
    mail = field + MAIL.replace(BODY, report().encode())
    for options, proved in (((), []), (("--trust-host", "mx.clinic.example"), ["reporter.example"])):
        sender, trust = trust_of(run(mail, "--format", "json", *NOBODY, *options))
        assert sender["proved"] == proved
        assert ("told-by-host" in trust["reasons"]) == bool(proved)


def test_the_spool_tells_the_envelope_so_that_spf_can_be_checked(run: Run) -> None:
    data = b"".join(encode_file([by_smtp(MAIL.replace(BODY, report().encode()))]))
    with served(f'reporter.example TXT "v=spf1 ip4:{PEER} -all"') as dns:
        sender, _ = trust_of(run(data, "--format", "json", *dns.options, name="q.mails"))
    assert (sender["spf"]["result"], sender["aligned"]) == ("pass", ["spf"])


def test_every_mail_of_an_mbox_is_shown(run: Run) -> None:
    line = b"From x Thu Jan  1 00:00:00 1970\n"
    mails = [
        line + gzipped_mail(report().replace("r-1", one)).replace(b"\r\n", b"\n") + b"\n" for one in ("r-1", "r-2")
    ]
    found = json.loads(run(b"".join(mails), "--format", "json", name="box").stdout)
    assert [one["source"] for one in found] == ["box: 1", "box: 2"]
    assert [one["reports"][0]["report_id"] for one in found] == ["r-1", "r-2"]


def test_nobody_is_asked_about_a_mail_without_a_report(run: Run) -> None:
    with served("") as dns:
        run(sign(MAIL.replace(BODY, b"Hello")), *dns.options)
        run(signed(), "--no-trust")
    assert dns.asked == []


@given(data=st.binary(max_size=300), head=st.sampled_from([b"", b"From x 10:10\n", b"mailguard spool 1\n", b"A: b\n"]))
def test_anything_is_something(data: bytes, head: bytes) -> None:
    for item in items_in("x", "x", head + data, now=0):
        assert in_words(inspection.inspection(item.origin, item.size, item.contents), "ja")


@pytest.mark.parametrize("seed", [1, 6, 14, 30])
def test_noise_is_neither_mail_nor_report_as_ingest_says_too(tmp_path: Path, seed: int) -> None:
    noise = b"#" + random.Random(seed).randbytes(100_000)
    (tmp_path / "noise.bin").write_bytes(noise)
    (item,) = items_in("noise.bin", "noise.bin", noise, now=NOW)
    (told,) = read_sources([str(tmp_path / "noise.bin")], io.BytesIO())
    assert [one.reason for one in item.contents.unreadable] == ["unknown"]
    assert isinstance(told, NotRead)
    assert told.reason == "unknown"


@pytest.mark.parametrize(
    ("table", "values"),
    [
        (trusting._REASONS, {*Reason, "no-mail"}),
        (trusting._FAULTS, {*SignatureFault} - {SignatureFault.KEY_UNANSWERED}),
        (trusting._HEADS, {*HeadFault}),
        (trusting._GRADES, {*Grade, "could-not-be-checked", "not-checked"}),
    ],
)
def test_every_word_about_trust_has_its_sentence(table: dict[str, Any], values: set[str]) -> None:
    assert set(table) == values


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real reports is not here")
def test_everything_real_keeps_to_the_schema_and_can_be_said() -> None:
    for path in sorted(path for path in CORPUS.rglob("*") if path.is_file()):
        items = list(items_in(path.name, path.name, path.read_bytes(), now=NOW, failure_reports=True))
        senders = asyncio.run(ask_about(items, None, hosts=(), owned=None, now=NOW))
        for item, sender in zip(items, senders, strict=True):
            told = (sender.looked, sender.proof, sender.trusts)
            document = inspection.inspection(item.origin, item.size, item.contents, *told)
            Draft202012Validator(SCHEMA).validate(document)
            assert in_words(document, "ja") != in_words(document, "en")


def test_what_strangers_wrote_is_shown_and_never_obeyed(run: Run) -> None:
    evil = xml_cases.XML.replace("<org_name>reporter.example", "<org_name>\u202egoogle\u009b31m")
    shown = run(gzipped_mail(evil)).stdout
    assert r"\u{202e}google\u{9b}31m" in shown


def test_every_word_of_the_reader_has_its_sentence() -> None:
    assert set(inspection._DEFECTS) == {str(kind) for kind in DefectKind}
    bounds = {field.name for field in fields(Limits)}
    for name, (_, reasons) in mail_cases.REFUSED.items():
        assert all(reason in inspection._REASONS or reason in bounds for reason in reasons), name
