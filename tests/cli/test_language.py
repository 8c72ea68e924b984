"""``--lang``: wherever it stands, everything is told in that language."""

from __future__ import annotations

import re
from pathlib import Path

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


@pytest.mark.parametrize(
    "line",
    [
        "audit x.example.jp --timeout abc",
        "audit x.example.jp --jobs 1.5",
        "audit x.example.jp --jobs 0",
        "reports list --since abc",
        "rules show",
        "db prune raw",
        "demo -o file",
        "demo -o file/below",
        "db check --database missing",
        "db restore missing --database file",
        "db upgrade --database file/more",
        "serve --config statement.toml",
        "serve --config end.toml",
        "policy check statement.toml",
    ],
)
def test_no_english_is_left_in_what_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in {"file": "", "statement.toml": "=", "end.toml": "x = ["}.items():
        Path(name).write_text(text, "utf-8")
    done = CliRunner().invoke(main, ["--lang", "ja", *line.split()])
    assert done.exit_code == 2
    told = done.stderr.strip().splitlines()[-1]
    typed = "mailguard|TOML|RULE|missing|statement|end|file|below|more|toml|timeout|jobs|since|days|output|abc|o|x"
    words = re.sub(rf"\b(?:{typed})\b", "", told, flags=re.ASCII)
    assert re.findall("[A-Za-z]{2,}", words) == [], told


def test_help_can_be_had_in_both_languages_one_after_the_other() -> None:
    told = [CliRunner().invoke(main, ["audit", "--help", "--lang", one]).stdout for one in ("ja", "en", "ja")]
    assert told[0] == told[2]
    assert "Audit domains" in told[1]
