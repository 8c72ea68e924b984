"""``mailguard client``: shown, handed over, deleted; nobody else is touched, and nobody is told more than is so."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mailguard.cli import main
from mailguard.cli.clientfile import MANIFEST
from mailguard.sending.outbox import Outbox
from mailguard.sending.values import Draft, Stop
from mailguard.spool import Reason, Shelf
from mailguard.store import open_store
from mailguard.worker.later import Later
from tests.store.kept import BELOW, CLINIC, OTHER, OTHERS, OWN, SHARED, about, aggregate, filed, fill, mail

Run = Callable[..., Result]
NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.setenv("MAILGUARD_LANG", "en")
    monkeypatch.chdir(tmp_path)
    with open_store("mailguard.db") as store:
        fill(store)

    def call(*arguments: object, input: str = "") -> Result:
        done = CliRunner().invoke(main, ["client", *map(str, arguments)], input=input)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        assert "Traceback" not in done.output
        return done

    return call


def kept(run: Run, domain: str = CLINIC, *more: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("show", domain, "--format", "json", *more).stdout)
    return found


def left(run: Run, domain: str = CLINIC) -> set[int]:
    return {one["count"] for one in kept(run, domain)["kept"].values()}


def exported(run: Run, name: str = "clinic.zip", *more: str) -> dict[str, bytes]:
    assert run("export", CLINIC, "-o", name, *more).exit_code == 0
    return members(name)


def members(name: str) -> dict[str, bytes]:
    with zipfile.ZipFile(name) as archive:
        assert archive.testzip() is None
        return {one: archive.read(one) for one in archive.namelist()}


def test_show_says_how_much_there_is_of_each_kind(run: Run) -> None:
    done = run("show", CLINIC)
    assert done.exit_code == 0
    assert "clinic.example.jp and every name below it:" in done.stdout
    assert "         4  DMARC aggregate reports  (2026-09-21 - 2026-09-22)" in done.stdout
    assert "         2  Audits  (2026-11-01 - 2026-11-02)" in done.stdout
    assert "Names: clinic.example.jp, www.clinic.example.jp" in done.stdout
    assert "Mails that also hold reports about others: 3." in done.stdout
    assert OTHER not in done.stdout


def test_show_as_json(run: Run) -> None:
    found = kept(run)
    assert (found["domain"], found["names_below"], found["names"]) == (CLINIC, True, [CLINIC, BELOW])
    assert found["kept"]["mails"]["count"] == 10
    assert found["kept"]["reports"] == {"count": 4, "first": "2026-09-21T14:13:20Z", "last": "2026-09-22T14:13:19Z"}
    assert kept(run, CLINIC, "--only")["kept"]["reports"]["count"] == 3
    assert kept(run, "nobody.example.jp")["kept"]["reports"] == {"count": 0, "first": None, "last": None}


def test_an_export_holds_everything_and_nothing_of_others(run: Run) -> None:
    found = exported(run)
    mails = {content for name, content in found.items() if name.startswith("mails/")}
    assert set(OWN.values()) - {OWN["failure"]} <= mails
    assert not mails & {*OTHERS.values(), *SHARED.values()}
    counts = json.loads(found[MANIFEST])["counts"]
    for table, kind in (
        ("reports", "reports"),
        ("records", "records"),
        ("failure-reports", "failures"),
        ("mails", "mails"),
    ):
        assert len(json.loads(found[f"tables/{table}.json"])) == counts[kind], table
        assert len(list(csv.reader(io.StringIO(found[f"tables/{table}.csv"].decode("utf-8-sig"))))) == counts[kind] + 1
    assert {name for name in found if name.startswith("audits/")} == {
        f"audits/{CLINIC}-20261101T010000Z.json",
        f"audits/{BELOW}-20261102T010000Z.json",
    }
    for name, content in found.items():
        assert OTHER.encode() not in content, name


def test_the_manifest_names_every_file_with_its_digest(run: Run) -> None:
    found = exported(run)
    told = json.loads(found.pop(MANIFEST))
    assert {one["name"]: (one["bytes"], one["sha256"]) for one in told["files"]} == {
        name: (len(content), hashlib.sha256(content).hexdigest()) for name, content in found.items()
    }
    assert told["mails_left_out_because_they_hold_reports_about_others"] == 3


def test_the_same_data_give_the_same_file(run: Run) -> None:
    exported(run, "a.zip")
    exported(run, "b.zip")
    assert Path("a.zip").read_bytes() == Path("b.zip").read_bytes()
    assert Path("a.zip").stat().st_mode & 0o777 == 0o600


def test_an_export_never_writes_over_a_file(run: Run) -> None:
    Path("there.zip").write_bytes(b"mine")
    done = run("export", CLINIC, "-o", "there.zip")
    assert (done.exit_code, "exists already" in done.stderr) == (2, True)
    assert Path("there.zip").read_bytes() == b"mine"
    assert run("export", CLINIC, "-o", "no/such/folder.zip").exit_code == 4
    assert run("export", "nobody.example.jp", "-o", "new.zip").exit_code == 2
    assert not Path("new.zip").exists()


def test_what_strangers_wrote_is_no_formula(run: Run) -> None:
    with open_store("mailguard.db") as store:
        store.add([filed(mail("x", aggregate(CLINIC, "=cmd()").replace("<org_name>", "<org_name>=1+1 ")), origin="@x")])
    found = exported(run)
    for name, content in found.items():
        if name.endswith(".csv"):
            cells = [cell for row in csv.reader(io.StringIO(content.decode("utf-8-sig"))) for cell in row]
            assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))], name
    assert "'=1+1 reporter.example" in found["tables/reports.csv"].decode()


def test_deleting_wants_an_export_or_a_word(run: Run) -> None:
    for wrong in ((), ("--exported", "x.zip", "--without-export")):
        done = run("delete", CLINIC, "--yes", *wrong)
        assert (done.exit_code, "client export" in done.stderr) == (2, True)
    assert 0 not in left(run)


def test_the_export_is_compared_with_what_is_kept(run: Run) -> None:
    exported(run)
    exported(run, "only.zip", "--only")
    with open_store("mailguard.db") as store:
        store.add([filed(mail(about(CLINIC), aggregate(CLINIC, "new")))])
    for file, word in (("clinic.zip", "export again"), ("only.zip", "export again"), ("gone.zip", "no such file")):
        done = run("delete", CLINIC, "--yes", "--exported", file)
        assert (done.exit_code, word in done.stderr) == (2, True)
    assert 0 not in left(run)


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04", b"no archive"])
def test_what_is_no_export_is_refused(run: Run, damage: bytes) -> None:
    Path("x.zip").write_bytes(damage)
    done = run("delete", CLINIC, "--yes", "--exported", "x.zip")
    assert (done.exit_code, "no export of mailguard" in done.stderr) == (2, True)
    assert 0 not in left(run)


@pytest.mark.parametrize("at", range(0, 40, 8))
def test_a_changed_byte_in_the_export_is_found(run: Run, at: int) -> None:
    exported(run)
    content = bytearray(Path("clinic.zip").read_bytes())
    with zipfile.ZipFile("clinic.zip") as archive:
        infos = archive.infolist()
    info = infos[at % len(infos)]
    place = info.header_offset + 30 + len(info.filename) + 20 + info.compress_size // 2
    content[place] ^= 0xFF
    Path("clinic.zip").write_bytes(content)
    assert run("delete", CLINIC, "--yes", "--exported", "clinic.zip").exit_code == 2
    assert 0 not in left(run)


@pytest.mark.parametrize("typed", ["", "\n", "other.example.jp\n", "clinic\n", "yes\n"])
def test_without_the_domain_typed_again_nothing_happens(run: Run, typed: str) -> None:
    done = run("delete", CLINIC, "--without-export", input=typed)
    assert (done.exit_code, "Nothing was deleted" in done.stderr) == (2, True)
    assert 0 not in left(run)


@pytest.mark.parametrize("typed", ["clinic.example.jp\n", " Clinic.Example.JP. \n"])
def test_everything_goes_and_is_counted_again(run: Run, typed: str) -> None:
    before, others = kept(run, OTHER), kept(run, "myclinic.example.jp")
    exported(run)
    done = run("delete", CLINIC, "--exported", "clinic.zip", input=typed)
    assert done.exit_code == 0, done.output
    assert "clinic.zip holds all of it; it was compared." in done.stdout
    after = done.stdout.partition("Counted again:")[2]
    assert after.count("         0  ") == 7
    assert "written anew" in after
    assert left(run) == {0}
    assert kept(run, OTHER)["kept"]["reports"] == before["kept"]["reports"]
    assert kept(run, OTHER)["kept"]["sums"] == before["kept"]["sums"]
    assert kept(run, "myclinic.example.jp") == others
    files = b"".join(path.read_bytes() for path in Path().iterdir() if path.name.startswith("mailguard.db"))
    assert b"www.clinic" not in files
    assert b"\0clinic.example.jp" not in files
    assert CliRunner().invoke(main, ["db", "check"]).exit_code == 0


def test_what_is_not_covered_is_told(run: Run) -> None:
    done = run("delete", CLINIC, "--without-export", "--yes")
    told = done.stdout.partition("Not covered")[2]
    for word in ("spool", "--outbox", "db backup", "mailguard-done", "rua=", "write-ahead log"):
        assert word in told, word


def test_deleting_again_is_no_harm(run: Run) -> None:
    for _ in range(2):
        assert run("delete", CLINIC, "--without-export", "--yes").exit_code == 0
    assert run("delete", CLINIC, "--exported", "none.zip").exit_code == 0, "there is nothing to agree to"


def test_the_spool_and_its_quarantine_are_looked_into(run: Run) -> None:
    shelf = Shelf(Path("spool"))
    shelf.prepare()
    later = Later(Path("spool/later"), now=lambda: 1_790_100_000)
    for raw in (OWN["report"], OTHERS["report"]):
        assert later.put(filed(raw).mail, 1)
    ids = [shelf.quarantine(filed(raw).mail, Reason("for-a-test")) for raw in (OWN["unreadable"], OTHERS["unreadable"])]
    shelf.put([filed(OTHERS["report"]).mail])
    done = run("delete", CLINIC, "--without-export", "--yes", "--spool", "spool")
    assert f"mailguard quarantine delete {ids[0]}" in done.stdout
    assert ids[1] not in done.stdout
    assert "wait in the spool" not in done.stdout
    assert len(list(Path("spool/later").iterdir())) == 1, "a copy that waited would have brought everything back"
    shelf.put([filed(OWN["report"]).mail])
    assert "wait in the spool" in run("delete", CLINIC, "--without-export", "--yes", "--spool", "spool").stdout


def test_a_folder_that_is_no_spool_stops_it_before_anything_goes(run: Run) -> None:
    done = run("delete", CLINIC, "--without-export", "--yes", "--spool", "nowhere")
    assert (done.exit_code, "no spool" in done.stderr) == (2, True)
    assert 0 not in left(run)


def fill_outbox() -> None:
    with Outbox.open(Path("outbox.db")) as outbox:
        for number, domain in enumerate((CLINIC, BELOW, OTHER)):
            text = f"m{number}"
            raw = f"Subject: {domain}\r\n\r\n".encode()
            outbox.put(Draft(text, domain, f"a@{domain}", "C", "S", f"{text}@x.example", text, "f", raw), NOW)
        outbox.stop(f"b@{CLINIC}", Stop.OPT_OUT, NOW)


def test_an_outbox_is_shown_exported_and_emptied_too(run: Run) -> None:
    fill_outbox()
    box = ("--outbox", "outbox.db")
    assert kept(run, CLINIC, *box)["kept"]["sent"]["count"] == 2
    found = exported(run, "clinic.zip", *box)
    assert [row["domain"] for row in json.loads(found["tables/sent.json"])] == [CLINIC, BELOW]
    assert found["sent/000001.eml"] == b"Subject: clinic.example.jp\r\n\r\n"
    assert "sent/000003.eml" not in found
    without = run("delete", CLINIC, "--yes", "--exported", "clinic.zip")
    assert without.exit_code == 2, "that is another export"
    assert run("delete", CLINIC, "--yes", "--exported", "clinic.zip", *box).exit_code == 0
    with Outbox.open(Path("outbox.db")) as outbox:
        assert [one.domain for one in outbox.messages()] == [OTHER]
        assert outbox.stopped(f"b@{CLINIC}") is not None, "who said no must not be written to again"
    assert run("show", CLINIC, "--outbox", "gone.db").exit_code == 2


@pytest.mark.parametrize("command", [("show",), ("export", "-o", "x.zip"), ("delete", "--without-export", "--yes")])
@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("..",), 2, "two dots"),
        ((CLINIC, "--database", "missing"), 2, "no such file"),
        ((CLINIC, "--database", "."), 2, "it is a folder"),
        ((CLINIC, "--config", "missing"), 2, "no such file"),
    ],
)
def test_wrong_use_is_told_in_a_sentence(
    run: Run, command: tuple[str, ...], arguments: tuple[str, ...], code: int, word: str
) -> None:
    name, *more = command
    done = run(name, *arguments, *more)
    assert (done.exit_code, word in done.stderr) == (code, True), done.output
    assert any("\u3040" < letter < "\u9fff" for letter in run(name, *arguments, *more, "--lang", "ja").stderr)


def test_it_speaks_japanese(run: Run) -> None:
    told = run("delete", CLINIC, "--without-export", "--yes", "--lang", "ja").stdout
    assert "clinic.example.jp と、その下のすべての名前：" in told
    assert "削除しました。数え直した結果：" in told
    english = [line for line in told.splitlines() if line and line.isascii()]
    assert english == []
