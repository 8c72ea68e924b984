"""Whatever the commands are given that receive and keep reports, make and send guides, and hand over data.

One sentence, in the reader's language, no traceback. The table names a command line, its exit code and a word of what
is told.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from mailguard.cli import main
from mailguard.sending.recipients import MAX_BYTES as MAX_LIST
from mailguard.store import open_store
from tests.cli.world import environment
from tests.render.documents import document_of
from tests.sending.world import SETTINGS as SENDER
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
    ("ingest --no-trust garbage", 1, "neither a mail nor a report"),
    ("ingest --no-trust zero.zip", 0, "This file is empty"),
    ("ingest --no-trust cut.zip", 1, "the archive is damaged"),
    ("quarantine list --spool missing", 2, "is no spool"),
    ("quarantine list --spool empty", 2, "is no spool"),
    ("quarantine show 1 --spool folder", 2, "is no spool"),
    ("db backup folder --database good.db", 2, "exists already"),
    ("db backup no/such/copy --database good.db", 2, "no such file or folder"),
    ("db restore missing --database new.db", 2, "no such file"),
    ("db restore folder --database new.db", 2, "it is a folder"),
    ("db restore empty --database new.db", 4, "it is empty"),
    ("db restore garbage --database new.db", 4, "it is no database"),
    ("reports show 99 --database good.db", 2, "no report 99"),
    ("reports list --domain .. --database good.db", 2, "two dots"),
    ("reports list --since never --database good.db", 2, "never"),
]

ASKING = ("reports list", "reports show 1", "reports export", "db check", "db prune raw --days 9", "reports reprocess")
WRITING = ("ingest --no-trust mail.eml", "ingest --no-trust --dry-run mail.eml", "db upgrade")
DATABASES: list[tuple[str, int, str, tuple[str, ...]]] = [
    ("missing", 2, "no such file", ASKING),
    ("folder", 2, "it is a folder", (*ASKING, *WRITING)),
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
DELETE = "client delete clinic.example.jp --yes --without-export"
CONFIGURED = ("ingest --no-trust mail.eml", "reports list", "db check", "serve --check")


MADE = ("make", "portfolio")
GUIDES: list[tuple[str, int, str]] = [
    ("--audits missing", 2, "no such file"),
    ("--audits folder", 2, "it is a folder"),
    ("--audits empty/below", 2, "a part of the path is a file"),
    ("--audits empty", 2, "holds no audits"),
    ("--audits garbage", 2, "holds no audits"),
    ("--audits broken.json", 2, "holds no audits"),
    ("--replay missing", 2, "no such file"),
    ("--replay folder", 2, "it is a folder"),
    ("--replay empty", 2, "empty"),
    ("--replay garbage", 2, "garbage"),
    ("--replay broken.json", 2, "broken.json"),
    ("-f missing", 2, "no such file"),
    ("-f folder", 2, "it is a folder"),
    ("-f empty", 2, "names no domain"),
    ("-f garbage", 2, "garbage"),
    ("--audits audit.json --since missing", 2, "no such file"),
    ("--audits audit.json --since garbage", 2, "holds no audits"),
    ("--audits audit.json --since 2026-99-99", 2, "no such day"),
    ("--audits audit.json --brand missing", 2, "no such file"),
    ("--audits audit.json --brand empty", 2, "a part of the path is a file"),
    ("--audits audit.json --brand folder", 2, "no such file"),
    ("--audits audit.json --brand brands/broken", 2, "no TOML file"),
    ("--audits audit.json --brand brands/huge", 2, "larger than"),
    ("--audits audit.json --brand brands/garbage", 2, "not UTF-8"),
    ("--audits audit.json --brand brands/template", 2, "line 2"),
    ("--audits audit.json -o no/such/file", 2, "no such file"),
    ("--audits audit.json --database folder", 2, "it is a folder"),
    ("--audits audit.json --database garbage", 4, "it is no database"),
    (f"--audits audit.json --database {DOWN}", 4, "no server answers"),
    (f"--audits audit.json --database {MISPLACED}", 2, "cannot be understood"),
    *((f"--audits audit.json --config {file}", 2, word) for file, word in SETTINGS),
    ("--audits audit.json --days 0", 2, "--days"),
    ("--audits audit.json --days many", 2, "many"),
    ("--audits audit.json --format gif", 2, "gif"),
    ("--audits audit.json --format pdf --font Nonsuch", 2, "Nonsuch"),
    ("--audits audit.json -o empty/below/", 2, "a part of the path is a file"),
    ("clinic.example.jp --jobs 0", 2, "--jobs"),
    ("clinic.example.jp --timeout nan", 2, "nan"),
    ("clinic.example.jp --nameserver dns.example.net", 2, "dns.example.net"),
    ("clinic.example.jp --mailing-lists maybe", 2, "maybe"),
    ("clinic.example.jp --policy nosuch", 2, "nosuch"),
    ("clinic.example.jp --policy garbage", 2, "garbage"),
    ("clinic.example.jp --policy broken.toml", 2, "broken.toml"),
]
LISTED = "--recipients list.csv --audits audit.json --preview look"
SENDING: list[tuple[str, int, str]] = [
    ("send", 2, "--recipients"),
    ("send --recipients missing", 2, "no such file"),
    ("send --recipients folder", 2, "it is a folder"),
    ("send --recipients empty", 2, "empty"),
    ("send --recipients garbage", 2, "garbage"),
    ("send --recipients nocolumn.csv", 2, "nocolumn.csv"),
    ("send --recipients badline.csv", 2, "Correct these lines first"),
    ("send --recipients huge.csv", 2, "huge.csv"),
    ("send --recipients list.csv --audits audit.json", 2, "--preview"),
    ("send --recipients list.csv --audits missing --preview look", 2, "no such file"),
    ("send --recipients list.csv --audits garbage --preview look", 2, "holds no audits"),
    ("send --recipients list.csv --audits audit.json --preview empty", 2, "empty"),
    ("send --recipients list.csv --sender-audit missing", 2, "no such file"),
    ("send --recipients list.csv --sender-audit garbage", 2, "holds no audits"),
    ("send --recipients list.csv --sender-audit audit.json", 2, "Nothing is sent"),
    (f"send {LISTED} --brand missing", 2, "no such file"),
    (f"send {LISTED} --brand brands/broken", 2, "no TOML file"),
    (f"send {LISTED} --database garbage", 4, "it is no database"),
    (f"send {LISTED} --database {DOWN}", 4, "no server answers"),
    (f"send {LISTED} --since missing", 2, "no such file"),
    (f"send {LISTED} --policy hospital", 2, "--policy"),
    ("send --recipients list.csv --policy nosuch", 2, "nosuch"),
    ("send --recipients list.csv --limit 0", 2, "--limit"),
    ("send --recipients list.csv --days 0", 2, "--days"),
    ("send --recipients list.csv --for patients", 2, "patients"),
    ("send --recipients list.csv --test-address nobody", 2, "nobody"),
    ("send --recipients list.csv --nameserver dns.example.net", 2, "dns.example.net"),
    ("outbox show 99", 2, "There is no outbox"),
    ("outbox show many", 2, "many"),
    ("outbox settle 99 --sent", 2, "99"),
    ("outbox list --state lost", 2, "lost"),
    ("outbox stop nobody", 2, "nobody"),
    ("outbox forget clinic.example.jp", 2, "--yes"),
    ("bounces missing", 2, "missing does not exist"),
    ("bounces", 2, "bounces"),
    ("bounces --mailbox", 2, "[bounces]"),
]
SENDERS: list[tuple[str, str]] = [
    ("missing", "no such file"),
    ("folder", "it is a folder"),
    ("empty", "[smtp]"),
    ("garbage", "not UTF-8"),
    ("broken.toml", "no TOML file"),
    ("unknown.toml", "host is wanted"),
    ("huge.toml", "too big"),
]
OUTBOXES: list[tuple[str, int, str]] = [
    ("missing", 2, "no outbox"),
    ("folder", 4, "it is a folder"),
    ("empty", 4, "is no outbox"),
    ("garbage", 4, "garbage"),
    ("good.db", 4, "is no outbox"),
]
CLIENTS = ("client show clinic.example.jp", "client export clinic.example.jp -o new.zip", DELETE)
HANDED: list[tuple[str, int, str]] = [
    ("client show ..", 2, "two dots"),
    ("client show clinic.example.jp --format xml", 2, "xml"),
    ("client export clinic.example.jp", 2, "--output"),
    ("client export clinic.example.jp -o empty", 2, "exists already"),
    ("client export clinic.example.jp -o folder", 2, "exists already"),
    ("client delete clinic.example.jp --yes --without-export --spool missing", 2, "is no spool"),
    ("client delete clinic.example.jp --yes --without-export --spool empty", 2, "is no spool"),
]


def guide_lines() -> Iterator[tuple[list[str], int, str]]:
    for line, code, word in GUIDES:
        for command in MADE:
            out = [] if " -o " in line else ["-o", "new.out"]
            yield ["guide", command, *line.split(), *out], code, word
    for line, code, word in SENDING:
        yield ["guide", *line.split()], code, word
    for file, word in SENDERS:
        for command in ("send --recipients list.csv", "outbox list", "outbox stop a@example.jp", "bounces mail.eml"):
            yield ["guide", *command.split(), "--sender", file], 2, word
    for line, code, word in HANDED:
        yield [*line.split(), "--database", "good.db"], code, word
    for command in CLIENTS:
        for place, code, word, _ in DATABASES:
            yield [*command.split(), "--database", place], code, word
        for file, word in SETTINGS:
            yield [*command.split(), "--config", file], 2, word
        for place, code, word in OUTBOXES:
            yield [*command.split(), "--database", "good.db", "--outbox", place], code, word


def lines() -> Iterator[tuple[list[str], int, str]]:
    for line, code, word in FILES:
        yield line.split(), code, word
    for place, code, word, commands in DATABASES:
        for command in commands:
            yield [*command.split(), "--database", place], code, word
    for file, word in SETTINGS:
        for command in CONFIGURED:
            yield [*command.split(), "--config", file], 2, word
    yield from guide_lines()
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
        "broken.json": b'{"schema": "mailguard-audit/1", ',
        "audit.json": json.dumps(document_of("clinic.example.jp MX 1 mx.example.net")).encode(),
        "send.toml": SENDER.format(port=1).encode(),
        "list.csv": b"domain,email\nclinic.example.jp,info@clinic.example.jp\n",
        "nocolumn.csv": b"domain,telephone\nclinic.example.jp,03\n",
        "badline.csv": b"domain,email\nclinic.example.jp,info\n",
        "huge.csv": b"domain,email\n" + b"a" * MAX_LIST,
        "huge.toml": b"#" * 70_000,
        "brands/broken/brand.toml": b"x = [",
        "brands/huge/brand.toml": b"#" * 70_000,
        "brands/garbage/brand.toml": bytes(range(127, 256)),
        "brands/template/brand.toml": b"",
        "brands/template/templates/base.html.j2": b"a\n{% if %}",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
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
    ("ingest --no-trust mail.eml --database closed/new.db", 2, "this user may not use it"),
    ("ingest --no-trust --dry-run mail.eml --database closed.db", 2, "this user may not use it"),
    ("reports list --database closed.db", 2, "this user may not use it"),
    ("db backup closed/copy --database good.db", 2, "this user may not use it"),
    ("db restore closed.db --database new.db", 2, "this user may not use it"),
    ("quarantine list --spool closed", 4, "this user may not use it"),
    ("serve --check --config closed.toml", 2, "this user may not use it"),
    ("guide make --audits closed.eml -o x.html", 2, "this user may not use it"),
    ("guide make -f closed.eml -o x.html", 2, "this user may not use it"),
    ("guide portfolio --audits closed/mail.eml -o x.html", 2, "this user may not use it"),
    ("guide make clinic.example.jp --brand closed -o x.html", 2, "this user may not use it"),
    ("guide send --sender closed.toml --recipients mail.eml", 2, "this user may not use it"),
    ("guide outbox list --sender closed.toml", 2, "this user may not use it"),
    ("guide bounces mail.eml --sender closed.toml", 2, "this user may not use it"),
    ("client show clinic.example.jp --database closed.db", 2, "this user may not use it"),
    ("client show clinic.example.jp --database good.db --outbox closed.db", 4, "this user may not use it"),
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
