"""``mailguard serve`` under strace, with several senders at once: no 250 before its own mail is safe.

Mails that come together are kept together in one file and share its syncs. So here every reply is held against the file
that its mail is in, and a call counts as done where it returned and not where it began.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import smtplib
import subprocess
import sys
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.daemon import Daemon, until
from tests.worker.mails import mail_bytes

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not here: apt install strace"),
]

SENDERS, MAILS = 4, 12
STRACE = ("strace", "-f", "-qq", "-v", "-yy", "-s", "100000", "-e", "trace=write,writev,fsync,fdatasync,rename,sendto")
SLOW_SYNCS = ("-e", "inject=fsync,fdatasync:delay_enter=5000")  # so that mails come while others are being synced


@dataclass(frozen=True)
class Call:
    """A system call; ``begun`` and ``done`` are lines of the trace."""

    text: str
    begun: int
    done: int


def calls_in(trace: str) -> list[Call]:
    """Every call that came to its end; one that was interrupted by another thread's stands in two lines."""
    calls, open_calls = [], {}
    for number, line in enumerate(trace.splitlines()):
        thread, _, text = line.partition(" ")
        text = text.strip()
        if text.endswith("<unfinished ...>"):
            open_calls[thread] = (number, text.removesuffix("<unfinished ...>"))
        elif resumed := re.match(r"<\.\.\. \w+ resumed>", text):
            begun, before = open_calls.pop(thread)
            calls.append(Call(before + text[resumed.end() :], begun, number))
        else:
            calls.append(Call(text, number, number))
    return calls


def first(calls: list[Call], pattern: str, after: int) -> Call:
    """The first that succeeded and began after that line."""
    found = [call for call in calls if call.begun > after and re.match(pattern, call.text)]
    assert found, f"{pattern} was not called"
    assert re.search(r"= \d+( \(DELAYED\))?$", found[0].text), found[0].text
    return found[0]


def send_some(port: int, name: str, senders: dict[int, str], together: threading.Barrier) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
        senders[client.sock.getsockname()[1]] = name  # type: ignore[union-attr]
        together.wait()
        for number in range(MAILS):
            sender = f"{name}-{number:02}@reporter.example"
            client.sendmail(sender, ["dmarc@example.jp"], mail_bytes(f"{name}-{number}"))


def end(daemon: Daemon) -> None:
    """Also where the test failed: who is traced outlives strace."""
    assert daemon.process is not None
    if daemon.process.poll() is None:
        for pid in daemon.children():
            os.kill(pid, signal.SIGKILL)
        daemon.kill()


def traced(folder: Path, started: ExitStack) -> tuple[str, dict[int, str]]:
    """The trace of some mails from several senders, and who sent from which port."""
    daemon = Daemon(folder)
    command = [*STRACE, *SLOW_SYNCS, "-o", str(folder / "trace"), sys.executable, "-m", "mailguard", "serve"]
    with daemon.log.open("ab") as log:
        daemon.process = subprocess.Popen([*command, "--config", str(daemon.config)], stderr=log)
    started.callback(end, daemon)
    until(daemon._answers, 60)
    senders: dict[int, str] = {}
    together = threading.Barrier(SENDERS)
    threads = [
        threading.Thread(target=send_some, args=(daemon.port, f"s{number}", senders, together))
        for number in range(SENDERS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (serving,) = daemon.children()
    os.kill(serving, signal.SIGTERM)
    assert daemon.process.wait(30) == 0, daemon.log_text()
    return (folder / "trace").read_text("utf-8", "replace"), senders


def test_each_250_of_a_group_follows_the_syncs_that_cover_its_mail(tmp_path: Path, started: ExitStack) -> None:
    trace, senders = traced(tmp_path, started)
    calls = calls_in(trace)
    in_file: dict[str, list[str]] = {}
    for call in calls:
        if draft := re.match(r"writev?\(\d+<[^>]*/spool/tmp/([^>]+)>", call.text):
            in_file.setdefault(draft[1], []).extend(re.findall(r"(s\d-\d\d)@reporter\.example", call.text))
    file_of = {mail: file for file, mails in in_file.items() for mail in mails}
    assert len(file_of) == SENDERS * MAILS
    assert any(len({mail[:2] for mail in mails}) > 1 for mails in in_file.values()), "mails shared a sync"

    for port, name in senders.items():
        reply = re.compile(rf'(sendto|writev?)\(\d+<TCP:\[[^>]*->127\.0\.0\.1:{port}\]>, .*"250 2\.0\.0 OK')
        replies = [call for call in calls if reply.match(call.text)]
        assert len(replies) == MAILS
        for number, acknowledged in enumerate(replies):
            file = re.escape(file_of[f"{name}-{number:02}"])
            written = first(calls, rf"writev?\(\d+<[^>]*/spool/tmp/{file}>", -1)
            synced = first(calls, rf"f(data)?sync\(\d+<[^>]*/spool/tmp/{file}>", written.done)
            renamed = first(calls, rf'rename\("[^"]*/spool/tmp/{file}", "[^"]*/spool/new/{file}"', synced.done)
            settled = first(calls, r"f(data)?sync\(\d+<[^>]*/spool/new>", renamed.done)
            assert settled.done < acknowledged.begun
