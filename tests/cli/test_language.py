"""``--lang``: wherever it stands, everything is told in that language."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from mailguard.cli import main


@pytest.mark.parametrize(
    "line",
    [
        "--lang ja --help",
        "--help --lang ja",
        "--help --lang=ja",
        "--lang en --help --lang ja",
        "reports --lang ja --help",
        "reports --help --lang ja",
        "--lang ja reports --help",
        "reports list --help --lang ja",
        "--lang ja reports list --help",
        "audit --help --lang ja",
        "guide --lang ja --help",
        "guide --help --lang ja",
        "guide --lang ja send --help",
        "guide --lang=ja clinic.example.jp --help",
    ],
)
def test_help_is_in_the_language_that_was_asked_for(line: str) -> None:
    done = CliRunner().invoke(main, line.split(), env={"MAILGUARD_LANG": "en"})
    assert done.exit_code == 0
    assert done.stdout.startswith("使い方:")
    assert "--lang [ja|en]" in done.stdout


@pytest.mark.parametrize(
    "line", ["--lang ja", "--frob --lang ja", "audit --frob --lang ja", "--lang ja audit", "--lang ja rules show X"]
)
def test_so_is_what_is_wrong(line: str) -> None:
    done = CliRunner().invoke(main, line.split(), env={"MAILGUARD_LANG": "en"})
    assert done.exit_code == 2
    assert "エラー:" in done.stderr


def test_the_last_one_counts() -> None:
    done = CliRunner().invoke(main, ["--lang", "ja", "rules", "--lang", "en", "list"])
    assert "未" not in done.stdout
    assert done.exit_code == 0


def test_what_stands_behind_two_dashes_is_no_option() -> None:
    done = CliRunner().invoke(main, ["audit", "--", "--lang", "ja"], env={"MAILGUARD_LANG": "en"})
    assert "Error" in done.stderr or "mailguard:" in done.stderr
    assert "ありません" not in done.stderr


def test_a_command_is_meant_by_default_behind_the_language_too() -> None:
    done = CliRunner().invoke(main, ["guide", "--lang", "ja", "no-dot"])
    assert "'no-dot' " in done.stderr
