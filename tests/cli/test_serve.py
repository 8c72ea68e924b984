"""``mailguard serve`` as a process: what was acknowledged is never lost, whatever is killed."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import smtplib
import socket
import sqlite3
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from mailguard.cli import main
from mailguard.names import DomainName
from mailguard.trust.token import ReportAddresses
from tests.certificates import write_certificate
from tests.cli.daemon import SETTINGS, Daemon, Senders, send, until
from tests.integration.restarts import tell_starts
from tests.worker.mails import FAILURE_REPORT, UNREADABLE, report_xml

ROUNDS = int(os.environ.get("MAILGUARD_KILL_ROUNDS", "4"))


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    made = Daemon(tmp_path)
    yield made
    if made.process is not None and made.process.poll() is None:
        made.kill()


def test_a_mail_becomes_a_report(daemon: Daemon) -> None:
    daemon.start()
    with smtplib.SMTP("127.0.0.1", daemon.port) as client:
        send(client, "one")
        send(client, "two")
    until(lambda: set(daemon.ids()) == {"one", "two"})
    until(lambda: not daemon.waiting())
    assert daemon.stop() == 0
    assert "stored from 127.0.0.1" in daemon.log_text()


def test_nothing_acknowledged_is_lost_when_we_are_killed(daemon: Daemon) -> None:
    """SIGKILL at random moments under load: the daemon in turn with one of its reading processes."""
    chance = random.Random(20261122)
    acknowledged: list[str] = []
    sent: set[str] = set()
    starts = []
    for number in range(ROUNDS):
        starts.append(daemon.start())
        with Senders(daemon, f"round{number}") as senders:
            until(lambda senders=senders: senders.acknowledged)
            time.sleep(chance.uniform(0.05, 0.5))
            if number % 2:
                until(daemon.children)
                os.kill(chance.choice(daemon.children()), signal.SIGKILL)
                time.sleep(chance.uniform(0.05, 0.3))
            daemon.kill()
        acknowledged += senders.acknowledged
        sent |= set(senders.sent)
    daemon.start()
    until(lambda: not daemon.waiting(), 120)
    assert daemon.stop() == 0
    ids = daemon.ids()
    reasons = [path.read_text() for path in (daemon.folder / "spool" / "quarantine").glob("*.json")]
    assert reasons == []
    assert set(acknowledged) - set(ids) == set()
    assert set(ids) <= sent
    assert max(ids.values()) == 1
    with sqlite3.connect(daemon.folder / "reports.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
    tell_starts("serve", starts)


def test_sigterm_under_load_ends_in_time_and_loses_nothing(daemon: Daemon) -> None:
    daemon.start()
    with Senders(daemon, "load", threads=5) as senders:
        until(lambda: len(senders.acknowledged) > 20)
        began = time.monotonic()
        assert daemon.stop() == 0
        took = time.monotonic() - began
    assert took < 10
    assert "not everything ended in time" not in daemon.log_text()
    daemon.start()
    until(lambda: not daemon.waiting())
    assert daemon.stop() == 0
    assert set(senders.acknowledged) <= set(daemon.ids())
    assert max(daemon.ids().values()) == 1


def test_mail_is_accepted_while_the_database_is_away(daemon: Daemon) -> None:
    database = daemon.folder / "reports.db"
    database.mkdir()  # where the file should be
    daemon.start()
    with smtplib.SMTP("127.0.0.1", daemon.port) as client:
        for number in range(10):
            send(client, str(number))
    until(lambda: "mails wait until the database answers again" in daemon.log_text())
    assert len(daemon.waiting()) >= 1
    database.rmdir()
    until(lambda: len(daemon.ids()) == 10, 60)
    until(lambda: not daemon.waiting())
    assert "the database answers again" in daemon.log_text()
    assert daemon.stop() == 0


def test_mail_that_waited_when_we_stopped_is_stored_at_the_next_start(daemon: Daemon) -> None:
    database = daemon.folder / "reports.db"
    database.mkdir()
    daemon.start()
    with smtplib.SMTP("127.0.0.1", daemon.port) as client:
        send(client, "one")
    until(lambda: "mails wait until" in daemon.log_text())
    assert daemon.stop() == 0
    database.rmdir()
    daemon.start()
    until(lambda: set(daemon.ids()) == {"one"})


def test_what_cannot_be_read_goes_to_quarantine_and_can_be_retried(daemon: Daemon) -> None:
    daemon.start()
    with smtplib.SMTP("127.0.0.1", daemon.port) as client:
        client.sendmail("noreply@reporter.example", ["dmarc@example.jp"], UNREADABLE.raw)
    kept = daemon.folder / "spool" / "quarantine"
    until(lambda: list(kept.glob("*.mails")) and not daemon.waiting())
    assert daemon.stop() == 0

    def command(*arguments: str) -> str:
        result = CliRunner().invoke(main, ["quarantine", *arguments, "--config", str(daemon.config)])
        assert result.exit_code == 0, result.output
        return result.stdout

    (entry,) = json.loads(command("list", "--format", "json"))
    assert "No report could be read" in entry["reason"]
    assert entry["id"] in command("list")
    assert "Subject: Report Domain: example.jp" in command("show", entry["id"])
    command("retry", "--all")
    assert json.loads(command("list", "--format", "json")) == []
    daemon.start()
    until(lambda: list(kept.glob("*.mails")) and not daemon.waiting())
    (again,) = json.loads(command("list", "--format", "json"))
    command("delete", again["id"])
    assert list(kept.iterdir()) == []


def test_nothing_of_a_failure_report_is_kept(daemon: Daemon) -> None:
    daemon.start()
    with smtplib.SMTP("127.0.0.1", daemon.port) as client:
        client.sendmail("noreply@reporter.example", ["dmarc@example.jp"], FAILURE_REPORT.raw)
    until(lambda: "ignored" in daemon.log_text() and not daemon.waiting())
    assert daemon.stop() == 0
    kept = b"".join(path.read_bytes() for path in daemon.folder.rglob("*") if path.is_file())
    for secret in (b"PATIENT", b"appointment", b"Secret"):
        assert secret not in kept


def test_only_our_addresses_are_accepted(daemon: Daemon) -> None:
    daemon.start()
    with smtplib.SMTP("127.0.0.1", daemon.port) as client, pytest.raises(smtplib.SMTPRecipientsRefused):
        client.sendmail("a@reporter.example", ["somebody@example.com"], b"Subject: x\r\n\r\n")


def test_a_report_address_with_a_token_is_accepted(tmp_path: Path) -> None:
    secret = "a secret for report addresses, long enough"
    (tmp_path / "token").write_text(secret)
    daemon = Daemon(tmp_path, SETTINGS + '[listener.tokens]\nsecret_file = "token"\n')
    ours = DomainName("example.jp")
    address = ReportAddresses(secret.encode(), [ours], "mx.example.jp").address_of(ours)
    daemon.start()
    try:
        with smtplib.SMTP("127.0.0.1", daemon.port) as client:
            client.sendmail("a@reporter.example", [address.upper()], b"Subject: x\r\n\r\n")
        assert secret not in daemon.log_text()
    finally:
        assert daemon.stop() == 0


def test_sighup_takes_new_certificates_and_ends_nobody(tmp_path: Path) -> None:
    old, new = make_certificate(tmp_path, "old.example"), make_certificate(tmp_path, "new.example")
    shutil.copy(old, tmp_path / "tls.pem")
    tls = 'hostname = "mx.example.jp"\ntls_certificate_file = "tls.pem"\ntls_key_file = "tls.pem"'
    daemon = Daemon(tmp_path, SETTINGS.replace('hostname = "mx.example.jp"', tls))
    daemon.start()
    assert daemon.process is not None
    try:
        assert shown_certificate(daemon.port) == first_certificate(old)
        shutil.copy(new, tmp_path / "tls.pem")
        daemon.process.send_signal(signal.SIGHUP)
        until(lambda: shown_certificate(daemon.port) == first_certificate(new))
        until(lambda: "certificates were taken anew" in daemon.log_text())
    finally:
        assert daemon.stop() == 0


def make_certificate(folder: Path, name: str) -> Path:
    """A certificate and its key in one file, as some authorities deliver them."""
    chain, key = write_certificate(folder, name)
    path = folder / f"{name}.pem"
    path.write_bytes(chain.read_bytes() + key.read_bytes())
    return path


def first_certificate(path: Path) -> bytes:
    return ssl.PEM_cert_to_DER_cert(path.read_text().partition("-----BEGIN PRIVATE")[0])


def shown_certificate(port: int) -> bytes | None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.starttls(context=context)
        assert isinstance(client.sock, ssl.SSLSocket)
        return client.sock.getpeercert(binary_form=True)


def test_systemd_is_told_when_mail_is_accepted(daemon: Daemon) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(str(daemon.folder / "notify"))
        told.settimeout(30)
        daemon.start(NOTIFY_SOCKET=str(daemon.folder / "notify"))
        assert told.recv(100) == b"READY=1"
        assert daemon.stop() == 0
        assert told.recv(100) == b"STOPPING=1"


def test_two_daemons_never_share_a_spool(daemon: Daemon) -> None:
    daemon.start()
    result = CliRunner().invoke(main, ["serve", "--config", str(daemon.config)])
    assert result.exit_code == 4
    assert "Another process uses the spool" in result.output


def test_no_line_of_the_log_is_drawn_by_strangers(daemon: Daemon) -> None:
    daemon.start()
    with smtplib.SMTP("127.0.0.1", daemon.port) as client:
        client.sendmail(
            "noreply@reporter.example",
            ["dmarc@example.jp"],
            b"Subject: x\r\nContent-Type: application/xml\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + evil_report(),
        )
    until(lambda: "[evil" in daemon.log_text())
    assert daemon.stop() == 0
    assert not {"\x1b", "\x9b", "\u202e"} & set(daemon.log_text())


def evil_report() -> bytes:
    return report_xml("evil", org="evil\u202e&#155;31m").encode()


class TestCheck:
    """``--check`` looks and changes nothing."""

    def check(self, tmp_path: Path, settings: str) -> tuple[int, str]:
        config = tmp_path / "mailguard.toml"
        config.write_text(settings.format(port=2525))
        result = CliRunner().invoke(main, ["serve", "--check", "--config", str(config)])
        return result.exit_code, result.output

    def test_all_is_well(self, tmp_path: Path) -> None:
        assert self.check(tmp_path, SETTINGS)[0] == 0
        assert [path.name for path in tmp_path.iterdir()] == ["mailguard.toml"]

    def test_a_missing_secret(self, tmp_path: Path) -> None:
        code, told = self.check(tmp_path, SETTINGS + '[listener.tokens]\nsecret_file = "nowhere"\n')
        assert code == 2
        assert "nowhere" in told

    def test_a_secret_that_everybody_may_read(self, tmp_path: Path) -> None:
        settings = SETTINGS + '[listener.tokens]\nsecret_file = "secret"\n'
        secret = tmp_path / "secret"
        secret.write_text("s" * 40)
        secret.chmod(0o644)
        code, told = self.check(tmp_path, settings)
        assert (code, f"chmod 600 {secret}" in told) == (0, True)
        assert "s" * 40 not in told
        secret.chmod(0o600)
        assert "chmod" not in self.check(tmp_path, settings)[1]

    def test_a_missing_refresh_token(self, tmp_path: Path) -> None:
        (tmp_path / "client").write_text("c")
        box = (
            '[[mailbox]]\nhost = "imap.example.jp"\nuser = "a@example.jp"\n[mailbox.oauth]\nprovider = "google"\n'
            'client_id = "x"\nclient_secret_file = "client"\nrefresh_token_file = "gone"\n'
        )
        code, told = self.check(tmp_path, SETTINGS + box)
        assert code == 2
        assert "gone" in told

    def test_a_missing_certificate(self, tmp_path: Path) -> None:
        tls = 'hostname = "mx.example.jp"\ntls_certificate_file = "c.pem"\ntls_key_file = "k.pem"'
        code, told = self.check(tmp_path, SETTINGS.replace('hostname = "mx.example.jp"', tls))
        assert code == 4
        assert "c.pem" in told

    def test_no_way_in(self, tmp_path: Path) -> None:
        code, told = self.check(tmp_path, "[trust]\ncheck = false\n")
        assert code == 2
        assert "no report would come in" in told

    def test_wrong_settings(self, tmp_path: Path) -> None:
        code, told = self.check(tmp_path, "nonsense = 1\n")
        assert code == 2
        assert "nonsense is no known key" in told


@pytest.mark.parametrize("check", [(), ("--check",)], ids=["serve", "check"])
def test_it_does_not_begin_where_nothing_can_come_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, check: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty.toml").write_bytes(b"")
    done = CliRunner().invoke(main, ["serve", "--config", "empty.toml", *check, "--lang", "en"])
    assert done.exit_code == 2
    assert "neither [listener] nor [[mailbox]] is set" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["empty.toml"]
