"""``mailguard ingest``: what is read, stored and told."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from mailguard.cli import main
from mailguard.feedback.mail import read_mail
from mailguard.sources.files import NotRead, read_sources
from mailguard.store import open_reader, open_store
from mailguard.worker.document import WHY_NOT_READ, from_not_read
from tests.feedback.mails import mail
from tests.worker.mails import FAILURE_REPORT, ORDINARY, UNREADABLE, mail_bytes, mail_in_part, report_xml

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "../shared/corpus"
SCHEMA = json.loads((ROOT / "mailguard/render/schema/ingest-1.schema.json").read_text("utf-8"))

Run = Any


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs ``mailguard ingest`` in an empty folder, without DNS unless asked for."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.delenv("MAILGUARD_LANG", raising=False)

    def call(*arguments: object, stdin: bytes | None = None, trust: bool = False) -> Result:
        more = [] if trust else ["--no-trust"]
        return CliRunner().invoke(main, ["ingest", *more, *map(str, arguments)], input=stdin)

    return call


def documents(result: Result) -> list[dict[str, Any]]:
    """What NDJSON output says; every line keeps to the schema."""
    found = [json.loads(line) for line in result.stdout.splitlines()]
    for document in found:
        Draft202012Validator(SCHEMA).validate(document)
    return found


def outcomes(result: Result) -> list[str]:
    return [document["outcome"] for document in documents(result)]


def stored_ids(path: Path) -> list[str]:
    with open_reader(path) as reader:
        return sorted(row.report_id for row in reader.list_reports(limit=10_000))


def put(folder: Path, *ids: str) -> None:
    folder.mkdir(exist_ok=True)
    for id in ids:
        (folder / f"{id}.eml").write_bytes(mail_bytes(id, records=2))


def test_a_message_is_told_exactly(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(mail_bytes("one", records=2))
    result = run("a.eml", "--format", "json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "source": "a.eml",
        "kind": "aggregate",
        "reports": [
            {
                "org_name": "reporter.example",
                "report_id": "one",
                "policy_domain": "example.jp",
                "begin": "2023-11-14T22:13:20Z",
                "end": "2023-11-15T22:13:19Z",
                "records_read": 2,
                "records_kept": 2,
                "repaired": 0,
                "dropped": 0,
                "defects": [],
                "trust": {"grade": "unverified", "domain": "", "reasons": ["not-checked"]},
            }
        ],
        "outcome": "stored",
        "reason": None,
    }


def test_everything_in_a_folder_is_stored_and_the_second_time_is_there_already(run: Run, tmp_path: Path) -> None:
    put(tmp_path / "mails", "a", "b", "c")
    assert outcomes(run("mails", "--format", "ndjson")) == ["stored"] * 3
    assert outcomes(run("mails", "--format", "ndjson")) == ["duplicate"] * 3
    assert stored_ids(tmp_path / "mailguard.db") == ["a", "b", "c"]


def test_many_mails_come_out_in_their_order(run: Run, tmp_path: Path) -> None:
    put(tmp_path / "mails", *(f"{number:03}" for number in range(120)))
    found = documents(run("mails", "--format", "ndjson"))
    assert [document["reports"][0]["report_id"] for document in found] == [f"{number:03}" for number in range(120)]


def test_bare_reports_mboxes_and_standard_input(run: Run, tmp_path: Path) -> None:
    (tmp_path / "r.xml").write_text(report_xml("xml"))
    (tmp_path / "r.gz").write_bytes(gzip.compress(report_xml("gz").encode()))
    mails = [b"From x Thu Jan  1 00:00:00 1970\n" + mail_bytes(id).replace(b"\r\n", b"\n") + b"\n" for id in "pq"]
    (tmp_path / "box").write_bytes(b"".join(mails))
    result = run("r.xml", "r.gz", "box", "-", "--format", "ndjson", stdin=mail_bytes("stdin"))
    assert outcomes(result) == ["stored"] * 5
    assert stored_ids(tmp_path / "mailguard.db") == ["gz", "p", "q", "stdin", "xml"]


def test_json_is_an_array_for_several_and_an_object_for_one(run: Run, tmp_path: Path) -> None:
    put(tmp_path / "mails", "a", "b")
    several = json.loads(run("mails", "--format", "json").stdout)
    assert [document["outcome"] for document in several] == ["stored", "stored"]
    assert json.loads(run("mails/a.eml", "--format", "json").stdout)["outcome"] == "duplicate"
    (tmp_path / "empty").mkdir()
    assert json.loads(run("empty", "--format", "json").stdout) == []


OUTLOOK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 1_000 + "__substg1.0_37010102".encode("utf-16-le")


def test_a_named_file_that_is_no_mail_is_told_by_the_exit_code_and_one_in_a_folder_is_not(
    run: Run, tmp_path: Path
) -> None:
    put(tmp_path / "mails", "a")
    (tmp_path / "mails" / "logo.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert run("mails").exit_code == 0
    result = run("mails/a.eml", "mails/logo.png", "--format", "ndjson")
    assert (result.exit_code, outcomes(result)) == (1, ["duplicate", "ignored"])
    assert documents(result)[1]["reason"] == "This is neither a mail nor a report."
    assert run("-", stdin=b"\x89PNG\r\n\x1a\n").exit_code == 1


@pytest.mark.parametrize("named", ["mails", "mails/a.msg"])
def test_a_mail_in_the_form_of_outlook_is_told_with_what_to_do(run: Run, tmp_path: Path, named: str) -> None:
    """It may hold a report, so it is not passed over in a folder either."""
    (tmp_path / "mails").mkdir()
    (tmp_path / "mails" / "a.msg").write_bytes(OUTLOOK)
    result = run(named, "--format", "ndjson")
    assert (result.exit_code, outcomes(result)) == (1, ["quarantined"])
    assert "save it as .eml" in documents(result)[0]["reason"]


def test_a_mail_in_the_form_of_outlook_that_is_attached_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(mail(OUTLOOK, "application/vnd.ms-outlook", "a.msg"))
    result = run("a.eml", "--format", "ndjson")
    assert (result.exit_code, outcomes(result)) == (1, ["quarantined"])
    assert "Outlook" in documents(result)[0]["reason"]


def test_a_dry_run_stores_nothing_and_says_what_would_happen(run: Run, tmp_path: Path) -> None:
    put(tmp_path / "mails", "a", "b")
    (tmp_path / "mails" / "again.eml").write_bytes(mail_bytes("a", records=2))
    result = run("mails", "--dry-run", "--format", "ndjson")
    assert sorted(outcomes(result)) == ["duplicate", "stored", "stored"]
    assert list(tmp_path.iterdir()) == [tmp_path / "mails"]
    run("mails/a.eml")
    before = (tmp_path / "mailguard.db").read_bytes()
    assert sorted(outcomes(run("mails", "--dry-run", "--format", "ndjson"))) == ["duplicate", "duplicate", "stored"]
    assert stored_ids(tmp_path / "mailguard.db") == ["a"]
    assert (tmp_path / "mailguard.db").read_bytes() == before


def snapshot(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Everything in a folder and the folder itself: modes, times of change, contents."""
    paths = [folder, *folder.rglob("*")]
    return {
        str(path): (path.stat().st_mode, path.stat().st_mtime_ns, b"" if path.is_dir() else path.read_bytes())
        for path in paths
    }


@pytest.mark.parametrize("state", ["no database", "at rest", "another journal", "in use", "empty"])
def test_a_dry_run_touches_nothing(run: Run, tmp_path: Path, state: str) -> None:
    put(tmp_path / "mails", "a", "b")
    base, other = tmp_path / "mailguard.db", None
    if state == "empty":
        base.touch()
    elif state != "no database":
        run("mails/a.eml")
    if state == "another journal":
        with closing(sqlite3.connect(base)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
    if state == "in use":
        other = open_store(base)
        other.database.run("CREATE TABLE more (x)")
    before = snapshot(tmp_path)
    told = outcomes(run("mails", "--dry-run", "--format", "ndjson"))
    after = snapshot(tmp_path)
    if other is not None:
        other.close()
        # Whoever has the database open shares a file of locks with all readers.
        assert before.pop(f"{base}-shm")[0] == after.pop(f"{base}-shm")[0]
    assert after == before
    assert told == (["stored", "stored"] if state in ("no database", "empty") else ["duplicate", "stored"])


def test_a_dry_run_says_so(run: Run, tmp_path: Path) -> None:
    put(tmp_path / "mails", "a")
    told = run("mails", "--dry-run", "--lang", "en").stdout
    assert "mails/a.eml: would be stored\n" in told
    assert told.endswith("This was a trial (--dry-run): nothing was stored.\n")


def test_what_cannot_be_read_is_told_and_the_rest_is_stored(run: Run, tmp_path: Path) -> None:
    put(tmp_path / "mails", "a", "b")
    (tmp_path / "mails" / "aa.eml").write_bytes(UNREADABLE.raw)
    result = run("mails", "--format", "ndjson")
    assert outcomes(result) == ["stored", "quarantined", "stored"]
    assert "document type" in documents(result)[1]["reason"]
    assert result.exit_code == 1


def test_ordinary_mail_is_ignored_and_not_kept(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mail.eml").write_bytes(ORDINARY.raw)
    result = run("mail.eml", "--format", "ndjson")
    assert (outcomes(result), result.exit_code) == (["ignored"], 0)
    assert not (tmp_path / "mailguard.db").exists()


def test_a_failure_report_is_ignored_and_nothing_of_it_is_told_or_kept(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mail.eml").write_bytes(FAILURE_REPORT.raw)
    (tmp_path / "report.eml").write_bytes(mail_bytes("a"))
    result = run("mail.eml", "report.eml", "--format", "ndjson")
    first, _ = documents(result)
    assert (first["kind"], first["outcome"], first["reports"]) == ("failure", "ignored", [])
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("mailguard.db*"))
    for secret in ("PATIENT", "appointment", "Secret"):
        assert secret not in result.output
        assert secret.encode() not in kept


def test_another_report_under_the_same_name_is_no_conflict_unless_the_sender_is_proved(
    run: Run, tmp_path: Path
) -> None:
    put(tmp_path / "mails", "a")
    (tmp_path / "mails" / "other.eml").write_bytes(mail_bytes("a", records=5))
    # Nobody vouches for either, so neither can push the other out.
    assert outcomes(run("mails", "--format", "ndjson")) == ["stored", "stored"]


@pytest.mark.parametrize("arguments", [(), ("missing.eml",), ("--format", "yaml", "x"), ("--domain", "..", "x.eml")])
def test_wrong_use(run: Run, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "x.eml").write_bytes(mail_bytes("a"))
    assert run(*arguments).exit_code == 2


def test_a_database_that_cannot_be_opened_is_wrong_use(run: Run, tmp_path: Path) -> None:
    put(tmp_path / "mails", "a")
    (tmp_path / "folder.db").mkdir()
    result = run("mails", "--database", "folder.db")
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_reports_about_other_domains_than_the_named_ones_are_unverified(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(mail_bytes("a"))
    nowhere = ("--nameserver", "127.0.0.1:9", "--timeout", "0.2")
    result = run("a.eml", "--domain", "other.example", "--format", "ndjson", *nowhere, trust=True)
    (document,) = documents(result)
    assert document["reports"][0]["trust"]["grade"] == "unverified"
    assert "foreign-domain" in document["reports"][0]["trust"]["reasons"]


def test_a_trusted_host_is_believed(run: Run, tmp_path: Path) -> None:
    header = "Authentication-Results: mx.clinic.example; dmarc=pass header.from=reporter.example\r\n"
    (tmp_path / "a.eml").write_bytes(header.encode() + mail_bytes("a"))
    nowhere = ("--nameserver", "127.0.0.1:9", "--timeout", "0.2")
    (without,) = documents(run("a.eml", "--dry-run", "--format", "ndjson", *nowhere, trust=True))
    assert without["reports"][0]["trust"]["grade"] == "unverified"
    (document,) = documents(
        run("a.eml", "--trust-host", "mx.clinic.example", "--format", "ndjson", *nowhere, trust=True)
    )
    assert document["reports"][0]["trust"]["domain"] == "reporter.example"
    assert "told-by-host" in document["reports"][0]["trust"]["reasons"]


def test_a_reporter_who_sends_through_a_service_is_believed_when_somebody_vouches_for_it(
    run: Run, tmp_path: Path
) -> None:
    header = "Authentication-Results: mx.clinic.example; dmarc=pass header.from=service.example\r\n"
    mail = mail_bytes("a").replace(b"<noreply@reporter.example>", b"<noreply@service.example>")
    (tmp_path / "a.eml").write_bytes(header.encode() + mail)
    for vouched, grade in (("", "authenticated"), ('"Reporter.example" = "service.example"', "verified")):
        (tmp_path / "m.toml").write_text(f'[trust]\nauthserv_ids = "mx.clinic.example"\n[trust.reporters]\n{vouched}\n')
        nowhere = ("--nameserver", "127.0.0.1:9", "--timeout", "0.2", "--dry-run")
        told = run("a.eml", "--config", "m.toml", "--domain", "example.jp", "--format", "ndjson", *nowhere, trust=True)
        (document,) = documents(told)
        trust = document["reports"][0]["trust"]
        assert (trust["grade"], trust["domain"]) == (grade, "service.example")


def test_text_output_cannot_be_drawn_on(run: Run, tmp_path: Path) -> None:
    evil = report_xml("x", org="evil\u202e\u009b31m")
    (tmp_path / "evil\x1b[31m.xml").write_text(evil)
    result = run("evil\x1b[31m.xml")
    assert result.exit_code == 0
    assert not {"\x1b", "\u202e", "\u009b"} & set(result.stdout)


def test_settings_give_database_and_domains(run: Run, tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "mailguard.toml").write_text('[database]\nurl = "x.db"\n[trust]\ndomains = ["example.jp"]\n')
    put(tmp_path / "mails", "a")
    assert run("mails", "--config", "etc/mailguard.toml").exit_code == 0
    assert stored_ids(tmp_path / "etc" / "x.db") == ["a"]


@pytest.mark.parametrize("reason", WHY_NOT_READ)
def test_every_reason_of_a_source_is_said(reason: str) -> None:
    assert str(from_not_read(NotRead("x", reason))["reason"]).endswith(".")


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real reports is not here")
def test_every_readable_report_of_the_corpus_is_stored_and_nothing_is_lost(run: Run, tmp_path: Path) -> None:
    found = list(read_sources([CORPUS]))
    mails = [one for one in found if not isinstance(one, NotRead)]
    wanted = Counter(report.digest for mail in mails for report in read_mail(mail.raw).reports)
    records = {report.digest: report.kept for mail in mails for report in read_mail(mail.raw).reports}
    first = run(CORPUS, "--format", "ndjson")
    told = documents(first)
    assert len(told) == len(found) == sum(1 for path in CORPUS.rglob("*") if path.is_file())
    with sqlite3.connect(tmp_path / "mailguard.db") as connection:
        stored = [digest for (digest,) in connection.execute("SELECT digest FROM report")]
        (kept,) = connection.execute("SELECT count(*) FROM record").fetchone()
    connection.close()
    assert sorted(stored) == sorted(wanted)
    assert kept == sum(records.values())
    again = documents(run(CORPUS, "--format", "ndjson"))
    assert {document["outcome"] for document in again} <= {"duplicate", "ignored", "quarantined"}
    with open_reader(tmp_path / "mailguard.db") as reader:
        assert len(reader.list_reports(limit=10_000)) == len(wanted)


def test_a_mail_that_was_read_in_part_says_what_is_missing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "two.eml").write_bytes(mail_in_part("good").raw)
    result = run("two.eml", "--format", "ndjson")
    assert result.exit_code == 1
    (document,) = documents(result)
    assert document["outcome"] == "stored"
    assert "Not everything in this mail could be read: broken.xml.gz: " in document["reason"]
    assert stored_ids(tmp_path / "mailguard.db") == ["good"]
    again = run("two.eml")
    assert again.exit_code == 1
    assert "already there - Not everything in this mail could be read: " in again.stdout
    listed = CliRunner().invoke(main, ["reports", "list", "--database", "mailguard.db"])
    assert "Mails of which a file could not be read: 1" in listed.stdout
    shown = CliRunner().invoke(main, ["reports", "show", "1", "--database", "mailguard.db"])
    assert "place broken.xml.gz" in shown.stdout
