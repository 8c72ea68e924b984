"""swaks, a program that many people check mail servers with, finds a listener that takes reports and nothing else."""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailguard import __version__
from tests.feedback.mails import mail, report
from tests.integration.dns_servers import free_port
from tests.integration.postfix.authority import Authority
from tests.integration.postfix.receiver import HOST, RECIPIENT, Place, receiver

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("swaks") is None, reason="swaks is not here: apt install swaks"),
]

OTHERS = [
    "someone@example.com",
    "postmaster@reports.clinic.example.jp",
    "dmarc@clinic.example.jp",
    "dmarc%example.com@reports.clinic.example.jp",
    "example.com!dmarc",
    "@reports.clinic.example.jp:someone@example.com",
    '"dmarc@reports.clinic.example.jp"@example.com',
    "dmarc",
]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Where a receiver runs, with a certificate by ``authority.pem``."""
    authority = Authority(tmp_path / "authority.pem", "test authority")
    authority.issue(tmp_path / "chain.pem", tmp_path / "key.pem", HOST)
    place = Place(tmp_path, free_port())
    with receiver(place) as running:
        yield place
        assert running.runs


def swaks(place: Place, *options: str, to: str = RECIPIENT) -> subprocess.CompletedProcess[str]:
    """Its exit code is 0 when the mail was taken; otherwise it tells in which phase it was not."""
    target = ("--server", f"127.0.0.1:{place.port}", "--helo", "mta.reporter.example", "--timeout", "10")
    envelope = ("--from", "dmarc-noreply@reporter.example", "--to", to)
    command = ["swaks", *target, *envelope, *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def write_report(place: Place) -> tuple[str, bytes]:
    """What swaks is to send, and its bytes."""
    raw = mail(gzip.compress(report().encode(), mtime=0))
    path = place.folder / "report.eml"
    path.write_bytes(raw)
    return f"@{path}", raw


@pytest.mark.parametrize("way", [(), ("--pipeline",), ("--tls",), ("--tls", "--pipeline")], ids=" ".join)
def test_a_report_is_taken_as_it_is(place: Place, way: tuple[str, ...]) -> None:
    data, raw = write_report(place)
    done = swaks(place, "--data", data, *way)
    assert done.returncode == 0, done.stdout
    (kept,) = place.mails()
    assert kept.raw.rstrip() == raw.rstrip()
    assert kept.tls.startswith("TLSv1.") == ("--tls" in way)


def test_its_certificate_can_be_verified(place: Place) -> None:
    verify = ("--tls", "--tls-verify", "--tls-ca-path", str(place.folder / "authority.pem"))
    assert swaks(place, *verify, "--tls-sni", HOST).returncode == 0
    assert len(place.mails()) == 1


def test_tls_is_not_required(place: Place) -> None:
    """There are senders of reports without it."""
    done = swaks(place, "--tls-optional-strict")
    assert done.returncode == 0
    assert swaks(place).returncode == 0
    assert [one.tls != "" for one in place.mails()] == [True, False]


@pytest.mark.parametrize("address", OTHERS)
def test_nothing_is_relayed(place: Place, address: str) -> None:
    done = swaks(place, to=address)
    assert done.returncode == 24, done.stdout  # no recipient was taken
    assert re.search(r"^<\*\* 5\d\d ", done.stdout, re.MULTILINE)
    assert place.mails() == []


def test_an_unknown_recipient_costs_the_others_nothing(place: Place) -> None:
    done = swaks(place, to=f"{RECIPIENT},someone@example.com")
    assert "<** 550 5.7.1 No such report address here" in done.stdout
    assert [one.rcpt_to for one in place.mails()] == [(RECIPIENT,)]


def test_a_pipelined_mail_for_nobody_here_is_not_taken(place: Place) -> None:
    assert swaks(place, "--pipeline", to="someone@example.com").returncode != 0
    assert place.mails() == []


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
@pytest.mark.parametrize("tls", [(), ("--tls",)], ids=["clear", "tls"])
def test_nobody_logs_in(place: Place, mechanism: str, tls: tuple[str, ...]) -> None:
    login = ("--auth", mechanism, "--auth-user", "admin", "--auth-password", "admin")
    done = swaks(place, *tls, *login)
    assert done.returncode == 28, done.stdout  # the server offers no such thing
    assert "AUTH" not in "".join(line for line in done.stdout.splitlines() if line.startswith("<"))
    assert place.mails() == []


def test_it_does_not_tell_what_it_is_made_of(place: Place) -> None:
    told = "".join(line for line in swaks(place, "--tls").stdout.splitlines() if line.startswith("<"))
    assert "250 2.0.0 OK" in told
    assert not re.search(rf"aiosmtpd|python|{re.escape(__version__)}(?!\.)", told, re.IGNORECASE)


def test_a_mail_that_is_too_big_is_refused(place: Place) -> None:
    big = place.folder / "big.eml"
    big.write_bytes(b"Subject: big\r\n\r\n" + (b"x" * 998 + b"\r\n") * 16_000)
    done = swaks(place, "--data", f"@{big}")
    assert done.returncode == 26, done.stdout[-500:]
    assert "552 5.3.4" in done.stdout
    assert place.mails() == []
