"""A Postfix of its own: configuration, queue, log and port in a directory of this run. The system's is not touched.

Its master needs root to give each part its user. It relays whatever it is handed on loopback to one place, over TLS
with a verified certificate or not at all, and tries again every second or two.
"""

from __future__ import annotations

import os
import shutil
import smtplib
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.dns_servers import WAIT_S, find_program, free_port

PROGRAM = find_program("postfix")
SENDER = "dmarc-noreply@reporter.example"

needs_postfix = pytest.mark.skipif(PROGRAM is None, reason="postfix is not here: apt install postfix")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can start the masters of Postfix and Dovecot")

# Postfix 3.7, as in Debian 12. No DNS and no local delivery.
_COMMON = """
compatibility_level = 3.6
queue_directory = {directory}/queue
data_directory = {directory}/data
maillog_file = {directory}/log
maillog_file_prefixes = {directory}
mail_owner = postfix
setgid_group = postdrop
default_privs = nobody
mydestination =
local_recipient_maps =
local_transport = error:no local mail
alias_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
relayhost = [127.0.0.1]:{target}
smtp_dns_support_level = disabled
smtp_host_lookup = native
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 2s
notify_classes =
"""

# What cannot be delivered within an hour is thrown away, and bounces to nobody.
_MAIN = """
myhostname = mta.reporter.example
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_client_connection_count_limit = 0
smtp_tls_security_level = secure
smtp_tls_secure_cert_match = {host}
smtp_tls_CAfile = {authority}
smtp_tls_loglevel = 1
smtp_connect_timeout = 5s
smtp_helo_timeout = 10s
maximal_queue_lifetime = 1h
destination_concurrency_failed_cohort_limit = 0
bounce_queue_lifetime = 0
"""

_SERVICES = """
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - 20 smtp
relay unix - - n - 20 smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True, slots=True)
class Postfix:
    """A server that runs."""

    directory: Path
    port: int

    @property
    def log(self) -> str:
        """What it wrote into its log so far."""
        return (self.directory / "log").read_text("utf-8", "replace")

    @property
    def queued(self) -> int:
        """Mails that it still has to deliver."""
        folders = ("incoming", "active", "deferred")
        return sum(len(_files(self.directory / "queue" / folder)) for folder in folders)

    def take_up_again(self) -> None:
        """Have everything in the queue looked at now. A mail that is looked at in the very moment in which its delivery
        ends is skipped, and would have to wait for minutes."""
        _postfix(self.directory / "conf", "reload")
        _postfix(self.directory / "conf", "flush")  # also what has a time to wait for

    def hand_over(self, mails: Iterable[bytes], recipient: str, sender: str = SENDER) -> int:
        """Give it mails to deliver; how many it took."""
        with smtplib.SMTP("127.0.0.1", self.port, local_hostname="a.example", timeout=WAIT_S) as smtp:
            return sum(not smtp.sendmail(sender, [recipient], mail) for mail in mails)


def _files(folder: Path) -> list[Path]:
    found = []
    with suppress(OSError):  # what it is delivering moves under our eyes
        found = [path for path in folder.rglob("*") if path.is_file()]
    return found


@contextmanager
def running_postfix(target: int, host: str, authority: Path) -> Iterator[Postfix]:
    """Run one that delivers everything to a port on loopback, where ``authority`` vouches for ``host``."""
    with folder_for("postfix") as directory:
        trusted = shutil.copy(authority, directory / "authority.pem")
        with started(directory, target, _MAIN.format(host=host, authority=trusted)) as server:
            yield server


@contextmanager
def folder_for(what: str) -> Iterator[Path]:
    """A directory for a server and its files, removed in the end.

    Not pytest's own: only its owner may enter that, and most of Postfix runs as another user.
    """
    directory = Path(tempfile.mkdtemp(prefix=f"{what}-"))
    directory.chmod(0o755)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def started(directory: Path, target: int, settings: str) -> Iterator[Postfix]:
    """Run one in ``directory`` that hands everything on to a port on loopback; ``settings`` are its own in main.cf."""
    server = Postfix(directory, free_port())
    conf = directory / "conf"
    for folder in (conf, directory / "queue", directory / "data"):
        folder.mkdir()
    shutil.chown(directory / "data", "postfix")
    (conf / "main.cf").write_text(_COMMON.format(directory=directory, target=target) + settings, "utf-8")
    (conf / "master.cf").write_text(_SERVICES.format(port=server.port), "utf-8")
    _postfix(conf, "start")
    try:
        _await_answer(server)
        yield server
    finally:
        _postfix(conf, "stop")


def _postfix(conf: Path, action: str) -> None:
    assert PROGRAM is not None
    done = subprocess.run([PROGRAM, "-c", str(conf), action], capture_output=True, text=True, timeout=60, check=False)
    log = conf.parent / "log"
    assert done.returncode == 0, done.stderr + (log.read_text() if log.exists() else "")


def _await_answer(server: Postfix) -> None:
    until = time.monotonic() + WAIT_S
    while True:
        try:
            with smtplib.SMTP("127.0.0.1", server.port, local_hostname="a.example", timeout=5):
                return
        except (OSError, smtplib.SMTPException):
            assert time.monotonic() < until, server.log
            time.sleep(0.05)
