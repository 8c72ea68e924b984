"""Results and evidence in files: whole at every moment, resumable, and the same again when replayed."""

from __future__ import annotations

import csv
import io
import json
import shlex
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.world import BARE, GOOD, SILENT, Dns, environment, mailguard, served

NAMES = [f"c{number}.example.jp" for number in range(12)]
MANY = "".join(f'{name} TXT "v=spf1 -all"\n{name} MX 0 .\n' for name in NAMES)


@pytest.fixture(scope="module")
def dns() -> Iterator[Dns]:
    with served(GOOD + BARE + SILENT) as server:
        yield server


def read_json(text: str) -> list[str]:
    documents = json.loads(text)
    return [document["domain"] for document in (documents if isinstance(documents, list) else [documents])]


def read_csv(text: str) -> list[str]:
    return [row["domain"] for row in csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))]


def read_sarif(text: str) -> list[str]:
    (run,) = json.loads(text)["runs"]
    return list(dict.fromkeys(result["properties"]["domain"] for result in run["results"]))


def read_lines(mark: str) -> Callable[[str], list[str]]:
    return lambda text: [line.removeprefix(mark) for line in text.splitlines() if line.startswith(mark + "c")]


READERS: dict[str, Callable[[str], list[str]]] = {
    "json": read_json,
    "ndjson": lambda text: [json.loads(line)["domain"] for line in text.splitlines()],
    "csv": read_csv,
    "sarif": read_sarif,
    "terminal": read_lines(""),
    "markdown": read_lines("# "),
}


@pytest.mark.parametrize("form", READERS)
def test_every_form_goes_into_a_file(dns: Dns, tmp_path: Path, form: str) -> None:
    path = tmp_path / "結果.out"
    result = mailguard("audit", "bare.example.jp", "--format", form, "-o", path, *dns.options)
    assert (result.returncode, result.stdout) == (1, "")
    text = path.read_bytes().decode("utf-8")
    assert "bare.example.jp" in text
    assert "\x1b" not in text
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name], "the journal is gone"


def test_a_file_that_was_there_is_replaced_at_the_end(dns: Dns, tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    path.write_text("old", "utf-8")
    mailguard("audit", "bare.example.jp", "--format", "json", "-o", path, *dns.options)
    assert read_json(path.read_text("utf-8")) == ["bare.example.jp"]


class Interrupted:
    """A run that is interrupted after its first results; the server is slow, so there is time."""

    def __init__(self, *arguments: str, cwd: Path, wait: Callable[[str], bool]) -> None:
        command = [sys.executable, "-m", "mailguard", "audit", *arguments]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, bufsize=0, stdout=pipe, stderr=pipe, env=environment(), cwd=cwd)
        assert self.process.stdout
        seen = ""
        deadline = time.monotonic() + 30
        while not wait(seen):
            assert self.process.poll() is None, "it ended before it could be interrupted"
            assert time.monotonic() < deadline
            if "-o" not in arguments:
                seen += self.process.stdout.readline().decode()
        self.process.send_signal(signal.SIGINT)
        stdout, stderr = self.process.communicate(timeout=30)
        self.stdout, self.stderr, self.code = seen + stdout.decode(), stderr.decode(), self.process.returncode
        assert "Traceback" not in self.stderr


@pytest.mark.parametrize("form", READERS)
def test_an_interrupted_run_leaves_what_was_done_and_can_be_gone_on_with(tmp_path: Path, form: str) -> None:
    journal, out = tmp_path / "out.progress", tmp_path / "out"
    with served(MANY, delay_s=0.05) as dns:
        arguments = (*NAMES, "--format", form, "-o", "out", "--save-evidence", "evidence", "--jobs", "2", *dns.options)
        run = Interrupted(
            *arguments, cwd=tmp_path, wait=lambda _: journal.exists() and journal.read_bytes().count(b"\n") >= 2
        )
        assert run.code == 130
        done = READERS[form](out.read_text("utf-8"))
        assert 2 <= len(done) < len(NAMES)
        before = Counter(question for question in dns.asked if question.endswith(" MX"))

        command = shlex.split(run.stderr.partition("To go on: ")[2])
        assert command[-1] == "--resume"
        again = subprocess.run(command, capture_output=True, env=environment(), cwd=tmp_path, timeout=60, check=False)
        assert again.stderr == b""
        assert sorted(READERS[form](out.read_text("utf-8"))) == sorted(NAMES)
        assert not journal.exists()
        asked_since = Counter(question for question in dns.asked if question.endswith(" MX")) - before
        assert not any(f"{name} MX" in asked_since for name in done), "nothing is audited twice"
    whole = mailguard("audit", "--replay", "evidence", "--format", "ndjson", cwd=tmp_path)
    assert sorted(READERS["ndjson"](whole.stdout)) == sorted(NAMES), "the evidence is of both halves"
    assert again.returncode == whole.returncode, "findings of the first half count too"


def test_resume_makes_good_what_a_crash_cut_short(tmp_path: Path) -> None:
    with served(MANY) as dns:
        arguments = ("audit", *NAMES[:3], "--format", "ndjson", "-o", "out", *dns.options)
        mailguard(*arguments, cwd=tmp_path)
        lines = (tmp_path / "out").read_text("utf-8").splitlines(keepends=True)
        (tmp_path / "out.progress").write_text(lines[0] + lines[1][:100], "utf-8")
        mailguard(*arguments, "--resume", cwd=tmp_path)
    assert sorted(READERS["ndjson"]((tmp_path / "out").read_text("utf-8"))) == NAMES[:3]


@pytest.mark.parametrize("form", ["json", "sarif", "csv", "ndjson"])
def test_an_interruption_leaves_valid_standard_output(tmp_path: Path, form: str) -> None:
    mark = {"json": '"domain": "c', "sarif": '"domain":"c', "csv": "\nc", "ndjson": '"domain":"c'}[form]
    with served(MANY, delay_s=0.05) as dns:
        arguments = (*NAMES, "--format", form, "--jobs", "2", *dns.options)
        run = Interrupted(*arguments, cwd=tmp_path, wait=lambda seen: mark in seen)
    assert run.code == 130
    assert 1 <= len(READERS[form](run.stdout)) < len(NAMES)
    assert "-o FILE" in run.stderr


def without_time(text: str) -> object:
    documents = json.loads(text)
    for document in documents if isinstance(documents, list) else [documents]:
        del document["duration_s"]
    return documents


TELLINGS = [
    (),
    ("--mailing-lists", "yes"),
    ("--policy", "hospital", "--policy", "gmail"),
    ("--no-sends", "--no-receives", "--policy", "parked"),
    ("--selector", "s1", "--second-opinion"),
]


@pytest.mark.parametrize("told", TELLINGS, ids=" ".join)
def test_a_replay_gives_the_same_documents(dns: Dns, tmp_path: Path, told: tuple[str, ...]) -> None:
    names = ("clinic.example.jp", "bare.example.jp", "silent.example.jp")
    evidence = tmp_path / "evidence"
    arguments = ("--format", "json", "--jobs", "1")
    first = mailguard("audit", *names, *arguments, *told, "--save-evidence", evidence, *dns.options)
    remembered = tuple(word for word in told if word == "--second-opinion")
    asked = len(dns.asked)
    again = mailguard("audit", "--replay", evidence, *arguments, *remembered)
    assert without_time(again.stdout) == without_time(first.stdout)
    assert again.returncode == first.returncode == 3
    assert len(dns.asked) == asked, "nobody is asked"


def test_what_is_said_now_goes_before_what_was_said_then(dns: Dns, tmp_path: Path) -> None:
    evidence = tmp_path / "evidence"
    mailguard("audit", "clinic.example.jp", "--mailing-lists", "yes", "--save-evidence", evidence, *dns.options)
    again = mailguard("audit", "--replay", evidence, "--mailing-lists", "no", "--format", "ndjson")
    assert json.loads(again.stdout)["expectation"]["mailing_lists"] == "no"


def test_a_replay_can_be_narrowed_to_domains(dns: Dns, tmp_path: Path) -> None:
    evidence = tmp_path / "evidence"
    mailguard("audit", "clinic.example.jp", "bare.example.jp", "--save-evidence", evidence, *dns.options)
    again = mailguard("audit", "bare.example.jp", "--replay", evidence, "--format", "json")
    assert read_json(again.stdout) == ["bare.example.jp"]


def test_a_replay_needs_no_network(dns: Dns, tmp_path: Path) -> None:
    evidence = tmp_path / "evidence"
    mailguard("audit", "bare.example.jp", "--save-evidence", evidence, "--second-opinion", *dns.options)
    (tmp_path / "sitecustomize.py").write_text(
        "import socket, asyncio\n"
        "def no(*args, **kwargs): raise OSError(101, 'Network is unreachable')\n"
        "socket.socket.connect = socket.socket.connect_ex = socket.socket.sendto = socket.getaddrinfo = no\n"
        "asyncio.BaseEventLoop.create_datagram_endpoint = no\n"
        "import dns.resolver\n"
        "def unset(*args, **kwargs): raise dns.resolver.NoResolverConfiguration\n"
        "dns.resolver.Resolver.read_resolv_conf = unset\n",
        "utf-8",
    )
    env = {"PYTHONPATH": str(tmp_path)}
    again = mailguard("audit", "--replay", evidence, "--format", "json", "--second-opinion", env=env)
    assert read_json(again.stdout) == ["bare.example.jp"]
    live = mailguard("audit", "bare.example.jp", env=env)
    assert live.returncode == 2
    assert "names no DNS server" in live.stderr


def test_what_stands_before_a_damaged_line_is_shown(dns: Dns, tmp_path: Path) -> None:
    evidence = tmp_path / "evidence"
    mailguard("audit", "bare.example.jp", "--save-evidence", evidence, *dns.options)
    with evidence.open("a", encoding="utf-8") as file:
        file.write('{"domain": 5}\n')
    result = mailguard("audit", "--replay", evidence, "--format", "json")
    assert read_json(result.stdout) == ["bare.example.jp"]
    assert result.returncode == 2
    assert f'Line 3 of the evidence file {evidence} is damaged: "answers" of the line is missing.' in result.stderr
