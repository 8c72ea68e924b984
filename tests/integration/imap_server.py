"""A real Dovecot on loopback: an ordinary process with its own configuration, folders and self-signed certificate."""

from __future__ import annotations

import imaplib
import itertools
import os
import pwd
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.certificates import write_certificate
from tests.integration.dns_servers import WAIT_S, find_program, free_port

PASSWORD = 'correct horse "battery" 病'

# Dovecot 2.3, as in Debian 12.
_CONFIGURATION = """
base_dir = {directory}/run
state_dir = {directory}/run
log_path = {directory}/log
protocols = imap
listen = 127.0.0.1
default_internal_user = {internal}
default_internal_group = {internal_group}
default_login_user = {login}
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service stats {{
  chroot =
}}
ssl = yes
ssl_cert = <{directory}/chain.pem
ssl_key = <{directory}/key.pem
auth_mechanisms = plain
disable_plaintext_auth = yes
login_trusted_networks =
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {directory}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={directory}/mail/%n
}}
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:{directory}/mail/%n
mail_plugins =
"""


@dataclass(frozen=True)
class Dovecot:
    """The server. Each test takes a mailbox of its own."""

    directory: Path
    port: int  # STARTTLS
    tls_port: int
    owner: tuple[int, int]
    users: Iterator[str]

    @property
    def certificate(self) -> Path:
        return self.directory / "chain.pem"

    def new_mailbox(self) -> Mailbox:
        mailbox = Mailbox(self, next(self.users), itertools.count())
        for folder in (mailbox.path, *(mailbox.path / name for name in ("cur", "new", "tmp"))):
            folder.mkdir()
            self.give_away(folder)
        return mailbox

    def give_away(self, path: Path) -> None:
        """To the user whose mail it is."""
        if os.getuid() == 0:
            os.chown(path, *self.owner)


@dataclass(frozen=True)
class Mailbox:
    """What a test does with a mailbox, over connections of its own."""

    server: Dovecot
    user: str
    numbers: itertools.count[int]

    @property
    def path(self) -> Path:
        return self.server.directory / "mail" / self.user.partition("@")[0]

    def deliver(self, mail: bytes) -> None:
        """As a delivery agent does: whole in ``tmp``, then renamed into ``new``."""
        name = f"{time.time_ns()}.{next(self.numbers)}.host"
        path = self.path / "tmp" / name
        path.write_bytes(mail)
        self.server.give_away(path)
        path.rename(self.path / "new" / name)

    @contextmanager
    def client(self) -> Iterator[imaplib.IMAP4_SSL]:
        with _client(self.server, self.user) as client:
            yield client

    def mails(self, folder: str = "INBOX") -> dict[str, str]:
        """Subjects and flags of the mails in a folder; empty for a folder that is not there."""
        found = {}
        with self.client() as client:
            status, count = client.select(folder, readonly=True)
            if status != "OK" or count == [b"0"]:
                return {}
            _, data = client.fetch("1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
        for item in data:
            if isinstance(item, tuple):
                flags = {flag.decode() for flag in imaplib.ParseFlags(item[0])} - {"\\Recent"}
                found[item[1].decode().partition(":")[2].strip()] = " ".join(sorted(flags))
        return found


@contextmanager
def _client(server: Dovecot, user: str) -> Iterator[imaplib.IMAP4_SSL]:
    context = ssl.create_default_context(cafile=str(server.certificate))
    client = imaplib.IMAP4_SSL("localhost", server.tls_port, ssl_context=context, timeout=WAIT_S)
    client.authenticate("PLAIN", lambda _: f"\0{user}\0{PASSWORD}".encode())
    try:
        yield client
    finally:
        with suppress(imaplib.IMAP4.error, OSError):
            client.logout()


@contextmanager
def running_dovecot() -> Iterator[Dovecot]:
    """A server with fifty users whose mailboxes are empty."""
    program = find_program("dovecot")
    assert program is not None
    # Not pytest's own directory: only its owner may enter that, and root's server reads mail as somebody else.
    directory = Path(tempfile.mkdtemp(prefix="dovecot-"))
    try:
        server = _configure(directory)
        with _running([program, "-F", "-c", str(directory / "dovecot.conf")], server):
            yield server
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _configure(directory: Path) -> Dovecot:
    directory.chmod(0o755)
    is_root = os.getuid() == 0
    me = pwd.getpwuid(os.getuid())
    somebody = pwd.getpwnam("nobody") if is_root else me
    users = [f"dmarc{number}@clinic.example.jp" for number in range(50)]
    server = Dovecot(directory, free_port(), free_port(), (somebody.pw_uid, somebody.pw_gid), iter(users[1:]))
    write_certificate(directory)
    (directory / "users").write_text("".join(f"{user}:{PASSWORD}\n" for user in users), encoding="utf-8")
    (directory / "run").mkdir()
    (directory / "mail").mkdir()
    server.give_away(directory / "mail")
    configuration = _CONFIGURATION.format(
        directory=directory,
        internal="dovecot" if is_root else me.pw_name,
        internal_group="dovecot" if is_root else me.pw_gid,
        login="dovenull" if is_root else me.pw_name,
        port=server.port,
        tls_port=server.tls_port,
        uid=somebody.pw_uid,
        gid=somebody.pw_gid,
    )
    (directory / "dovecot.conf").write_text(configuration, encoding="utf-8")
    return server


@contextmanager
def _running(command: list[str], server: Dovecot) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        _await(process, server)
        yield
    finally:
        process.terminate()
        process.wait(WAIT_S)
        if process.stderr:
            process.stderr.close()


def _await(process: subprocess.Popen[bytes], server: Dovecot) -> None:
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            assert process.stderr is not None
            raise RuntimeError(f"dovecot ended: {process.stderr.read().decode()}")
        with suppress(OSError, imaplib.IMAP4.error), _client(server, "dmarc0@clinic.example.jp"):
            return
        time.sleep(0.05)
    log = server.directory / "log"
    raise RuntimeError(f"dovecot does not answer: {log.read_text() if log.exists() else 'no log'}")


class Relay:
    """A way to the server that can be cut: ``with Relay(port) as relay: relay.port; relay.cut()``."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.connections = 0
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Relay:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        # Waking the thread that accepts: closing alone does not.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """End every connection at once, without a word."""
        with self._lock:
            for each in self._open:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
                each.close()
            self._open.clear()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._to))
            with self._lock:
                self.connections += 1
                self._open += (near, far)
            for pair in ((near, far), (far, near)):
                threading.Thread(target=_pump, args=pair, daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
