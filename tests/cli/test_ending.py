"""However a command ends that did not come to its end: one sentence at most, and an exit code that means that alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest
from click.testing import CliRunner

from mailguard.cli import main
from mailguard.store import open_store
from tests.cli.world import environment
from tests.store.samples import filed, record, report

FULL = Path("/dev/full")
MAILGUARD = (sys.executable, "-m", "mailguard")


@pytest.fixture
def database(tmp_path: Path) -> str:
    """Records that are not all written at once."""
    path = tmp_path / "reports.db"
    with open_store(path) as store:
        store.add([filed(report(*(record(f"192.0.2.{number}") for number in range(200))))])
    return str(path)


def run(*arguments: str, output: int) -> tuple[int, str]:
    """Exit code and what is told, of a process that writes to a file descriptor of ours."""
    done = subprocess.run(
        [*MAILGUARD, *arguments], stdout=output, stderr=subprocess.PIPE, env=environment(), timeout=60, check=False
    )
    return done.returncode, done.stderr.decode()


COMMANDS = [("--help",), ("--version",), ("rules", "list"), ("policy", "list"), ("policy", "show", "hospital")]


@pytest.mark.skipif(not FULL.exists(), reason="no device that is always full")
@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_full_disk_under_the_output_is_a_failure_of_ours(arguments: tuple[str, ...]) -> None:
    with FULL.open("wb") as full:
        told = run(*arguments, output=full.fileno())
    assert told == (4, "mailguard: Standard output could not be used (the disk is full).\n")


@pytest.mark.skipif(not FULL.exists(), reason="no device that is always full")
def test_so_it_is_under_an_export(database: str) -> None:
    with FULL.open("wb") as full:
        told = run("reports", "export", "--database", database, output=full.fileno())
    assert told == (4, "mailguard: Standard output could not be used (the disk is full).\n")


@pytest.mark.skipif(not FULL.exists(), reason="no device that is always full")
def test_a_full_disk_under_evidence_is_no_wrong_use() -> None:
    done = CliRunner().invoke(main, ["audit", "clinic.example.jp", "--save-evidence", "/dev/full", "--lang", "en"])
    assert done.exit_code == 4
    assert done.stderr == "mailguard: /dev/full cannot be written (the disk is full); check the path.\n"


def test_a_file_that_cannot_be_begun_is_told_by_the_name_that_was_typed(tmp_path: Path) -> None:
    wrong = tmp_path / "no" / "such"
    done = CliRunner().invoke(main, ["audit", "clinic.example.jp", "-o", str(wrong), "--lang", "en"])
    assert done.exit_code == 2
    assert done.stderr.endswith(f"{wrong} cannot be written (there is no such file or folder); check the path.\n")


@pytest.mark.skipif(os.name == "nt", reason="a pipe without a reader is told otherwise there")
@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_nobody_who_reads_on_is_no_finding(arguments: tuple[str, ...]) -> None:
    assert unread(*arguments) == (141, "")


@pytest.mark.skipif(os.name == "nt", reason="a pipe without a reader is told otherwise there")
def test_so_it_is_with_an_export(database: str) -> None:
    assert unread("reports", "export", "--database", database) == (141, "")


def unread(*arguments: str) -> tuple[int, str]:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        return run(*arguments, output=writer)
    finally:
        os.close(writer)


def stopped(*_: object, **__: object) -> NoReturn:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("demo", "mailguard.demo.run.run_demo"),
        ("inspect mail.eml", "mailguard.worker.looking.items_in"),
        ("guide clinic.example.jp -o guide.html", "mailguard.cli.guiding.make_guides"),
        ("guide portfolio clinic.example.jp -o all.html", "mailguard.cli.guiding.make_portfolio_report"),
        ("db check --database reports.db", "mailguard.store.store.Reader.check"),
        ("rules list", "mailguard.cli.rules.language"),
    ],
)
@pytest.mark.parametrize(("language", "told"), [("en", "Interrupted."), ("ja", "中断しました。")])
def test_an_interruption_is_told_and_has_a_code_of_its_own(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch, line: str, place: str, language: str, told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mail.eml").write_bytes(b"From: a@example.jp\r\n\r\n")
    monkeypatch.setattr(place, stopped)
    done = CliRunner().invoke(main, ["--lang", language, *line.split()])
    assert (done.exit_code, done.stderr.strip()) == (130, f"mailguard: {told}")
