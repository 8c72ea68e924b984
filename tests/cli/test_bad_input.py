"""Whatever the commands that receive and keep reports are given: one sentence, in the reader's language, no traceback.

The table names a command line, its exit code and a word of what is told.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from mailguard.cli import main
from mailguard.store import open_store
from tests.cli.world import environment
from tests.worker.mails import mail_bytes

SECRET = "s3cret"
DOWN = f"postgresql://u:{SECRET}@127.0.0.1:1/x"
MISPLACED = f"postgresql://u:{SECRET}/y@127.0.0.1/x"

# What is read, and what becomes of it.
FILES: list[tuple[str, int, str]] = [
    ("inspect --no-trust missing", 2, "no such file"),
    ("inspect --no-trust folder", 2, "it is a folder"),
    ("inspect --no-trust empty/below", 2, "a part of the path is a file"),
    ("inspect --no-trust empty", 1, "it is empty"),
    ("inspect --no-trust garbage", 1, "neither a mail nor a report"),
    ("inspect --no-trust zero.zip", 1, "it is empty"),
    ("inspect --no-trust cut.zip", 1, "the archive is damaged"),
    ("ingest --no-trust missing", 2, "missing does not exist"),
    ("ingest --no-trust folder", 0, "Messages: 0"),
    ("ingest --no-trust empty", 0, "This file is empty"),
    ("ingest --no-trust garbage", 0, "neither a mail nor a report"),
    ("ingest --no-trust zero.zip", 0, "This file is empty"),
    ("ingest --no-trust cut.zip", 1, "the archive is damaged"),
    ("quarantine list --spool missing", 2, "is no spool"),
    ("quarantine list --spool empty", 2, "is no spool"),
    ("quarantine show 1 --spool folder", 2, "is no spool"),
    ("db backup folder --database good.db", 4, "exists already"),
    ("db backup no/such/copy --database good.db", 4, "no such file or folder"),
    ("db restore missing --database new.db", 4, "no such file"),
    ("db restore folder --database new.db", 4, "it is a folder"),
    ("db restore empty --database new.db", 4, "it is empty"),
    ("db restore garbage --database new.db", 4, "it is no database"),
    ("reports show 99 --database good.db", 2, "no report 99"),
    ("reports list --domain .. --database good.db", 2, "two dots"),
    ("reports list --since never --database good.db", 2, "never"),
]

ASKING = ("reports list", "reports show 1", "reports export", "db check", "db prune raw --days 9", "reports reprocess")
WRITING = ("ingest --no-trust mail.eml", "ingest --no-trust --dry-run mail.eml", "db upgrade")
DATABASES: list[tuple[str, int, str, tuple[str, ...]]] = [
    ("missing", 4, "no such file", ASKING),
    ("folder", 4, "it is a folder", (*ASKING, *WRITING)),
    ("garbage", 4, "it is no database", (*ASKING, *WRITING)),
    ("empty", 4, "is empty", ASKING),
    (DOWN, 4, "no server answers", (*ASKING, *WRITING)),
    (MISPLACED, 2, "cannot be understood", (*ASKING, *WRITING)),
    (f"mysql://u:{SECRET}@h/x", 2, "a file or postgresql://", (*ASKING, *WRITING)),
    (f"host=h password={SECRET}", 2, "a file or postgresql://", (*ASKING, *WRITING)),
]

SETTINGS: list[tuple[str, str]] = [
    ("missing", "no such file"),
    ("folder", "it is a folder"),
    ("garbage", "not UTF-8"),
    ("broken.toml", "no TOML file"),
    ("unknown.toml", "databse"),
    ("secret.toml", "holds a password"),
    ("nosecret.toml", "no such file"),
]
CONFIGURED = ("ingest --no-trust mail.eml", "reports list", "db check", "serve --check")


def lines() -> Iterator[tuple[list[str], int, str]]:
    for line, code, word in FILES:
        yield line.split(), code, word
    for place, code, word, commands in DATABASES:
        for command in commands:
            yield [*command.split(), "--database", place], code, word
    for file, word in SETTINGS:
        for command in CONFIGURED:
            yield [*command.split(), "--config", file], 2, word
    for file, word in SETTINGS[:5]:
        yield ["quarantine", "list", "--config", file], 2, word
        yield ["inspect", "empty", "--config", file], 2, word


LINES = list(lines())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "folder").mkdir()
    for name, content in {
        "empty": b"",
        "zero.zip": b"",
        "cut.zip": b"PK\x03\x04",
        "garbage": bytes(range(127, 256)) * 30,
        "mail.eml": mail_bytes("a"),
        "broken.toml": b"x = [",
        "unknown.toml": b'[databse]\nurl = "x"\n',
        "secret.toml": f'[database]\nurl = "{DOWN}"\n'.encode(),
        "nosecret.toml": b'[database]\nurl_file = "away"\n',
    }.items():
        (tmp_path / name).write_bytes(content)
    open_store(tmp_path / "good.db").close()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "code", "word"), LINES, ids=[" ".join(line[0]).replace(SECRET, "*") for line in LINES]
)
def test_it_is_told_in_a_sentence(folder: Path, arguments: list[str], code: int, word: str) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    told = {}
    for language in ("en", "ja"):
        done = CliRunner().invoke(main, [*arguments, "--lang", language])
        assert done.exit_code == code, done.output
        assert done.exception is None or isinstance(done.exception, SystemExit)
        for never in (SECRET, "Traceback", "Errno", "mailguard itself", str(Path(tempfile.gettempdir()) / "mailguard")):
            assert never not in done.output
        told[language] = done.stderr if code in (2, 4) else done.stdout
        if code < 2:
            assert done.stderr == ""
    assert word in told["en"]
    sentence = told["ja"].strip().splitlines()[-1]
    assert re.search("[\u3040-\u30ff\u4e00-\u9fff]", sentence), sentence
    kept = {name: content for name, content in before.items() if name != "empty"}
    assert {name: (folder / name).read_bytes() for name in kept} == kept
    assert not (folder / "missing").exists(), "a question makes no database"


# Files with no rights for anybody; root's own power over them is dropped first.
RIGHTS: list[tuple[str, int, str]] = [
    ("inspect --no-trust closed/mail.eml", 2, "this user may not use it"),
    ("inspect --no-trust closed.eml", 2, "this user may not use it"),
    ("ingest --no-trust closed", 1, "may not be read by you"),
    ("ingest --no-trust closed.eml", 1, "may not be read by you"),
    ("ingest --no-trust mail.eml --database closed/new.db", 4, "this user may not use it"),
    ("ingest --no-trust --dry-run mail.eml --database closed.db", 4, "this user may not use it"),
    ("reports list --database closed.db", 4, "this user may not use it"),
    ("db backup closed/copy --database good.db", 4, "this user may not use it"),
    ("db restore closed.db --database new.db", 4, "this user may not use it"),
    ("quarantine list --spool closed", 4, "this user may not use it"),
    ("serve --check --config closed.toml", 2, "this user may not use it"),
]
WITHOUT_ROOTS_RIGHTS = """
import ctypes, os, sys
for right in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    ctypes.CDLL(None).prctl(24, right, 0, 0, 0)  # PR_CAPBSET_DROP
os.execv(sys.executable, [sys.executable, "-m", "mailguard", *sys.argv[1:]])
"""


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Path]:
    """A folder with things in it that nobody may use."""
    path = tmp_path
    (path / "closed" / "quarantine").mkdir(parents=True)
    for name in ("mail.eml", "closed.eml", "closed.toml", "closed/mail.eml"):
        (path / name).write_bytes(mail_bytes("a"))
    for name in ("good.db", "closed.db"):
        open_store(path / name).close()
    for name in ("closed.eml", "closed.toml", "closed.db", "closed/quarantine", "closed"):
        (path / name).chmod(0)
    yield path
    (path / "closed").chmod(0o700)  # so that it can be removed


@pytest.mark.parametrize(("line", "code", "word"), RIGHTS, ids=[line for line, _, _ in RIGHTS])
def test_missing_rights_are_told(closed: Path, line: str, code: int, word: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_ROOTS_RIGHTS, *line.split()],
        capture_output=True,
        text=True,
        cwd=closed,
        env=environment(),
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert word in (done.stdout if code == 1 else done.stderr)
    assert "Traceback" not in done.stderr
