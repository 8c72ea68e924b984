"""A consultant's mail server: a real Postfix that wants STARTTLS and a password, which Dovecot checks for it.

It hands everything on to one place on loopback, as the Internet of the test, and sends bounces of its own there too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.dns_servers import WAIT_S, find_program, free_port
from tests.integration.postfix.server import _SERVICES, Postfix, _await_answer, _postfix

DOVECOT = find_program("dovecot")
PASSWORD = "correct horse battery 病"

needs_dovecot = pytest.mark.skipif(DOVECOT is None, reason="dovecot is not here: apt install dovecot-core")

# Postfix 3.7, as in Debian 12.
_MAIN = """
compatibility_level = 3.6
queue_directory = {directory}/queue
data_directory = {directory}/data
maillog_file = {directory}/log
maillog_file_prefixes = {directory}
mail_owner = postfix
setgid_group = postdrop
default_privs = nobody
myhostname = mail.consult.example.jp
mydestination =
local_recipient_maps =
local_transport = error:no local mail
alias_maps =
mynetworks =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_tls_loglevel = 1
smtpd_tls_cert_file = {directory}/chain.pem
smtpd_tls_key_file = {directory}/key.pem
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {directory}/auth
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = permit_sasl_authenticated, reject
smtputf8_enable = no
relayhost = [127.0.0.1]:{target}
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtp_tls_security_level = none
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 2s
notify_classes =
"""

# Dovecot 2.3, as in Debian 12: only its authentication.
_AUTH = """
base_dir = {directory}/dovecot
state_dir = {directory}/dovecot
log_path = {directory}/dovecot.log
protocols =
default_internal_user = dovecot
default_login_user = dovenull
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
service auth {{
  unix_listener {directory}/auth {{
    mode = 0666
  }}
}}
ssl = no
auth_mechanisms = plain login
disable_plaintext_auth = no
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {directory}/users
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home=/nonexistent
}}
"""


@contextmanager
def running_submission(target: int, chain: Path, key: Path, users: dict[str, str]) -> Iterator[Postfix]:
    """Run one that takes mail from ``users`` with their passwords and hands it on to a port on loopback."""
    directory = Path(tempfile.mkdtemp(prefix="submission-"))
    directory.chmod(0o755)
    try:
        shutil.copy(chain, directory / "chain.pem")
        shutil.copy(key, directory / "key.pem")
        (directory / "users").write_text("".join(f"{user}:{{PLAIN}}{word}\n" for user, word in users.items()), "utf-8")
        with _authentication(directory):
            yield from _run(directory, target)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def _authentication(directory: Path) -> Iterator[None]:
    assert DOVECOT is not None
    configuration = directory / "dovecot.conf"
    configuration.write_text(_AUTH.format(directory=directory), "utf-8")
    process = subprocess.Popen([DOVECOT, "-F", "-c", str(configuration)], stderr=subprocess.PIPE)
    try:
        until = time.monotonic() + WAIT_S
        while not (directory / "auth").exists():
            assert process.poll() is None, process.stderr.read() if process.stderr else ""
            assert time.monotonic() < until, (directory / "dovecot.log").read_text()
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.communicate(timeout=WAIT_S)


def _run(directory: Path, target: int) -> Iterator[Postfix]:
    server = Postfix(directory, free_port())
    conf = directory / "conf"
    for folder in (conf, directory / "queue", directory / "data"):
        folder.mkdir()
    shutil.chown(directory / "data", "postfix")
    (conf / "main.cf").write_text(_MAIN.format(directory=directory, target=target), "utf-8")
    (conf / "master.cf").write_text(_SERVICES.format(port=server.port), "utf-8")
    _postfix(conf, "start")
    try:
        _await_answer(server)
        yield server
    finally:
        _postfix(conf, "stop")


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can start the masters of Postfix and Dovecot")
