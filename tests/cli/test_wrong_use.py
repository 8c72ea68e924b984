"""Whatever is asked for wrongly is told in one sentence, in the user's language, with exit code 2 and no traceback."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from mailguard.cli import main
from tests.cli.world import environment, mailguard

DOMAIN = "clinic.example.jp"
NOBODY = ("--nameserver", "127.0.0.1:1", "--timeout", "0.1")

WRONG: list[tuple[str, ...]] = [
    ("audit",),
    ("audit", ""),
    ("audit", " "),
    ("audit", "localhost"),
    ("audit", "192.0.2.1"),
    ("audit", "2001:db8::1"),
    ("audit", "*.example.jp"),
    ("audit", "a..example.jp"),
    ("audit", "x" * 64 + ".example.jp"),
    ("audit", "x." * 200 + "jp"),
    ("audit", "\x1b[31m.example.jp"),
    ("audit", "@"),
    ("audit", "https://"),
    ("audit", "--frobnicate"),
    ("audit", DOMAIN, "--format", "xml"),
    ("audit", DOMAIN, "--format"),
    ("audit", DOMAIN, "--lang", "fr"),
    ("audit", DOMAIN, "--fail-on", "worst"),
    ("audit", DOMAIN, "--jobs", "0"),
    ("audit", DOMAIN, "--jobs", "many"),
    ("audit", DOMAIN, "--timeout", "-1"),
    ("audit", DOMAIN, "--timeout", "nan"),
    ("audit", DOMAIN, "--mailing-lists", "maybe"),
    ("audit", DOMAIN, "--nameserver", ""),
    ("audit", DOMAIN, "--nameserver", "dns.example.net"),
    ("audit", DOMAIN, "--nameserver", "192.0.2.1:99999"),
    ("audit", DOMAIN, "--nameserver", "[2001:db8::1"),
    ("audit", DOMAIN, "--policy", "hospitl"),
    ("audit", DOMAIN, "--policy", "no-such/file.toml"),
    ("audit", DOMAIN, "--policy", "."),
    ("audit", DOMAIN, "--policy", "broken.toml"),
    ("audit", DOMAIN, "--policy", "circle.toml"),
    ("audit", DOMAIN, "--selector", ""),
    ("audit", DOMAIN, "--selector", "two words"),
    ("audit", DOMAIN, "--selector", "a..b"),
    ("audit", DOMAIN, "--selector", "x" * 64),
    ("audit", DOMAIN, "--selector", "\udcff"),
    ("audit", "-f", "no-such-list"),
    ("audit", "-f", "."),
    ("audit", DOMAIN, "-o", "no-such/folder/x"),
    ("audit", DOMAIN, "-o", "."),
    ("audit", DOMAIN, "-o", "/dev/null"),
    ("audit", DOMAIN, "--resume"),
    ("audit", DOMAIN, "--resume", "-o", "never-begun"),
    ("audit", DOMAIN, "--resume", "-o", "damaged"),
    ("audit", DOMAIN, "--save-evidence", "no-such/folder/x"),
    ("audit", DOMAIN, "--save-evidence", "."),
    ("audit", DOMAIN, "-o", "same", "--save-evidence", "./same"),
    ("audit", "-f", "list", "-o", "list"),
    ("audit", "--replay", "evidence", "--save-evidence", "evidence"),
    ("audit", "--replay", "no-such-file"),
    ("audit", "--replay", "list"),
    ("audit", "--replay", "broken.toml"),
    ("audit", "--replay", "empty"),
    ("audit", "--replay", "evidence", "other.example.jp"),
    ("audit", "--replay", "evidence", "no-dot"),
    ("audit", "--replay", "cut-short"),
    ("audit", "--replay", "odd-option"),
    ("audit", "--replay", "odd-time"),
    ("check-host",),
    ("check-host", "--ip", "192.0.2.1"),
    ("check-host", "--ip", "mail.example.jp", "--helo", "x.example.jp"),
    ("check-host", "--ip", "192.0.2.1", "--helo", "x.example.jp", "--nameserver", "x"),
    ("rules", "show"),
    ("rules", "show", "XYZ999"),
    ("rules", "frobnicate"),
    ("policy", "show", "hospitl"),
    ("policy", "show", "broken.toml"),
    ("policy", "check", "broken.toml"),
    ("policy", "check", "no-such.toml"),
    ("policy", "check"),
    ("completion", "tcsh"),
    ("frobnicate",),
    ("--frobnicate",),
]

EVIDENCE = '{"format":"mailguard-evidence","version":1,"made_by":"a test"}\n'
LINE = '{"domain":"clinic.example.jp","as_of":"%s","probe_label":"p","selectors":[],"options":{%s},"answers":[]}\n'
NOON = "2026-11-22T12:00:00Z"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with files that are damaged in one way each."""
    files = {
        "list": "clinic.example.jp\n",
        "empty": "",
        "broken.toml": "format = 1\ntitle = 'one language'\n",
        "circle.toml": 'format = 1\ntitle = { ja = "輪", en = "circle" }\nextends = ["./circle.toml"]\n',
        "damaged.progress": '{"domain": 1}\n[]\n',
        "evidence": EVIDENCE + LINE % (NOON, ""),
        "cut-short": EVIDENCE + (LINE % (NOON, ""))[:60],
        "odd-option": EVIDENCE + LINE % (NOON, '"mailing_lists":"maybe"'),
        "odd-time": EVIDENCE + LINE % ("0001-01-01T00:00:00+09:00", ""),
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
@pytest.mark.parametrize("language", ["en", "ja"])
def test_wrong_use_is_told_in_a_sentence(folder: Path, arguments: tuple[str, ...], language: str) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    more = NOBODY if arguments[0] == "audit" and "--nameserver" not in arguments else ()
    result = CliRunner().invoke(main, [arguments[0], *more, *arguments[1:]], env={"MAILGUARD_LANG": language})
    assert result.exit_code == 2, result.output
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == "", "nothing is shown as a result"
    assert result.stderr.strip()
    assert "\x1b" not in result.stderr
    assert "Errno" not in result.stderr
    if language == "ja":
        sentence = result.stderr.strip().splitlines()[-1]
        assert any("\u3040" <= char <= "\u30ff" for char in sentence), sentence
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert {name: after.get(name) for name in before} == before, "nothing that was there is touched"


@pytest.mark.parametrize("arguments", [("audit",), ("audit", DOMAIN, "--policy", "."), ("audit", DOMAIN, "-o", ".")])
def test_a_real_process_says_the_same(folder: Path, arguments: tuple[str, ...]) -> None:
    result = mailguard(*arguments, cwd=folder)
    assert result.returncode == 2
    assert result.stderr.startswith(("Error: ", "Usage: "))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_to(folder: Path) -> None:
    folder.chmod(0o500)
    result = mailguard("audit", DOMAIN, "-o", "x", *NOBODY, cwd=folder)
    assert result.returncode == 2
    assert "cannot be written" in result.stderr


def test_an_unknown_option_has_the_usage_with_it() -> None:
    result = mailguard("audit", "--frobnicate", env=environment())
    assert "Usage: mailguard audit" in result.stderr
