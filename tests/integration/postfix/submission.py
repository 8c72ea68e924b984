"""A consultant's mail server: a real Postfix that wants STARTTLS and a password, which Dovecot checks for it.

It hands everything on to one place on loopback, as the Internet of the test, and sends bounces of its own there too.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.dns_servers import WAIT_S, find_program
from tests.integration.postfix.server import Postfix, folder_for, started

DOVECOT = find_program("dovecot")
PASSWORD = "correct horse battery 病"

needs_dovecot = pytest.mark.skipif(DOVECOT is None, reason="dovecot is not here: apt install dovecot-core")

_MAIN = """
myhostname = mail.consult.example.jp
mynetworks =
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
smtp_tls_security_level = none
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
    with folder_for("submission") as directory:
        shutil.copy(chain, directory / "chain.pem")
        shutil.copy(key, directory / "key.pem")
        (directory / "users").write_text("".join(f"{user}:{{PLAIN}}{word}\n" for user, word in users.items()), "utf-8")
        with _authentication(directory), started(directory, target, _MAIN.format(directory=directory)) as server:
            yield server


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
