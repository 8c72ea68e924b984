"""``mailguard quarantine``: wrong use, and nothing that draws on the screen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailguard.cli import main
from mailguard.spool import Reason, Shelf
from tests.worker.mails import report_mail


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    made = Shelf(tmp_path / "spool")
    made.prepare()
    return made


def run(shelf: Shelf, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["quarantine", *arguments, "--spool", str(shelf.path)], env={"LANG": "C.UTF-8"})


def test_an_empty_quarantine(shelf: Shelf) -> None:
    assert run(shelf, "list").stdout == "Nothing lies in quarantine.\n"
    assert run(shelf, "list", "--format", "json").stdout == "[]\n"


def test_a_mail_comes_out_as_it_went_in(shelf: Shelf) -> None:
    mail = report_mail("a")
    id = shelf.quarantine(mail, Reason("for-a-test"))
    assert run(shelf, "show", id, "--raw").stdout_bytes == mail.raw
    assert run(shelf, "delete", id).exit_code == 0
    assert list(shelf.list_quarantine()) == []


def test_what_strangers_wrote_is_shown_and_not_obeyed(shelf: Shelf) -> None:
    mail = replace(report_mail("a"), peer="", origin="x\x1b[2J\u202e", raw=b"Subject: \x1b]0;x\x07\r\n\r\nSecret\r\n")
    id = shelf.quarantine(mail, Reason("crashed", {"code": "because\n\x1b[31m"}))
    told = run(shelf, "list").stdout + run(shelf, "show", id).stdout
    assert not {"\x1b", "\x07", "\u202e"} & set(told)
    assert "Secret" not in told


@pytest.mark.parametrize(
    "arguments",
    [("show", "../../etc"), ("show", "0" * 24), ("retry",), ("delete",), ("retry", "x"), ("delete", "x", "--all")],
)
def test_wrong_use(shelf: Shelf, arguments: tuple[str, ...]) -> None:
    shelf.quarantine(report_mail("a"), Reason("for-a-test"))
    assert run(shelf, *arguments).exit_code == 2
    assert len(list(shelf.list_quarantine())) == 1


def test_a_folder_that_is_no_spool(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["quarantine", "list", "--spool", str(tmp_path)])
    assert result.exit_code == 2
