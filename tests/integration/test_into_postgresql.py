"""The whole way into a real PostgreSQL: from a mailbox of Dovecot, and from Postfix through the listener."""

from __future__ import annotations

import gzip
import smtplib
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cli.daemon import until
from tests.feedback.mails import mail, record, report
from tests.integration.dns_servers import find_program, free_port, running_nsd
from tests.integration.house import House, start
from tests.integration.imap_server import PASSWORD, Mailbox, running_dovecot
from tests.integration.postfix.authority import Authority
from tests.integration.postfix.receiver import HOST, RECIPIENT
from tests.integration.postfix.server import needs_postfix, needs_root, running_postfix
from tests.integration.postgres_server import PostgresServer

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(find_program("nsd") is None, reason="nsd is not here: apt install nsd"),
]

DOMAIN = "clinic.example.jp"
RESULTS = b"Authentication-Results: mx.clinic.example.jp; dmarc=pass header.from=reporter.example\r\n"
LETTER = b"From: a@example.jp\r\nSubject: letter\r\n\r\nDear doctor\r\n"

# The address of the database lies in a file of its own, as one with a password would.
SETTINGS = """
[database]
url_file = "database-url"
[spool]
path = "spool"
free_mib = 0
[trust]
domains = ["clinic.example.jp"]
authserv_ids = ["mx.clinic.example.jp"]
nameservers = ["127.0.0.1:DNS"]
[listener]
listen = "127.0.0.1:{port}"
hostname = "HOST"
addresses = ["RECIPIENT"]
tls_certificate_file = "chain.pem"
tls_key_file = "key.pem"
"""

MAILBOX = """
[[mailbox]]
host = "localhost"
port = PORT
user = "USER"
password_file = "password"
ca_file = "CERTIFICATE"
poll_s = 10
"""

ZONE = """
$TTL 60
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A 127.0.0.1
reporter TXT "v=spf1 ip4:127.0.0.1 -all"
_dmarc.reporter TXT "v=DMARC1; p=reject"
"""


@pytest.fixture
def box() -> Iterator[Mailbox]:
    if find_program("dovecot") is None:
        pytest.skip("dovecot is not here: apt install dovecot-imapd")
    with running_dovecot() as server:
        yield server.new_mailbox()


@pytest.fixture
def dns_port(tmp_path: Path) -> Iterator[int]:
    folder = tmp_path / "dns"
    folder.mkdir()
    with running_nsd(folder, {"example.": ZONE}) as server:
        yield server.port


@pytest.fixture
def house(tmp_path: Path, postgres: PostgresServer, dns_port: int) -> House:
    """Not started yet."""
    Authority(tmp_path / "authority.pem", "test authority").issue(tmp_path / "chain.pem", tmp_path / "key.pem", HOST)
    (tmp_path / "database-url").write_text(postgres.url + "\n")
    settings = SETTINGS.replace("DNS", str(dns_port)).replace("HOST", HOST).replace("RECIPIENT", RECIPIENT)
    return House(tmp_path, postgres.url, settings)


def report_mail(id: str, count: int = 1) -> bytes:
    """Its subject is its id."""
    raw = mail(gzip.compress(report(record(count=count)).replace("r-1", id).encode(), mtime=0))
    return raw.replace(b"Subject: Report Domain: clinic.example.jp", b"Subject: " + id.encode())


def ask_mailbox(house: House, box: Mailbox) -> None:
    """Let the daemon read a mailbox, too."""
    words = {"PORT": box.server.tls_port, "USER": box.user, "CERTIFICATE": box.server.certificate}
    text = MAILBOX
    for word, value in words.items():
        text = text.replace(word, str(value))
    (house.folder / "password").write_text(PASSWORD + "\n", encoding="utf-8")
    house.config.write_text(house.config.read_text() + text)


def test_a_report_in_a_mailbox_is_moved_when_its_row_is_there_and_not_before(
    house: House, box: Mailbox, postgres: PostgresServer, started: ExitStack
) -> None:
    ask_mailbox(house, box)
    for id in ("r-1", "r-2"):
        box.deliver(RESULTS + report_mail(id, 7))
    box.deliver(LETTER)
    postgres.stop()
    start(started, house)
    until(lambda: house.outages()[0] == 1, 60)
    assert sorted(box.mails()) == ["letter", "r-1", "r-2"], "nothing is moved while it is stored nowhere"
    postgres.start()
    moved: set[str] = set()
    end = time.monotonic() + 60
    while moved != {"r-1", "r-2"}:
        moved = set(box.mails("mailguard-done"))
        assert moved <= house.ids().keys()
        assert time.monotonic() < end
    assert box.mails() == {"letter": ""}
    assert house.grades() == {"r-1": "verified", "r-2": "verified"}
    assert house.counted(DOMAIN) == 14
    box.deliver(RESULTS + report_mail("r-3", 1))  # the connection that idles tells of it
    until(lambda: set(box.mails("mailguard-done")) == {"r-1", "r-2", "r-3"})
    assert house.counted(DOMAIN) == 15
    assert house.damage() == []
    assert house.stop() == 0


def test_a_mailbox_mail_that_was_stored_when_we_were_killed_is_moved_and_counted_once(
    house: House, box: Mailbox, started: ExitStack
) -> None:
    ask_mailbox(house, box)
    for number in range(20):
        box.deliver(RESULTS + report_mail(f"r-{number}"))
    for _ in range(4):
        start(started, house)
        before = len(house.ids())
        until(lambda before=before: len(house.ids()) > before or len(house.ids()) == 20)
        house.kill()
    start(started, house)
    until(lambda: len(box.mails("mailguard-done")) == 20)
    assert box.mails() == {}
    assert (set(house.ids().values()), house.counted(DOMAIN)) == ({1}, 20)


@needs_postfix
@needs_root
def test_postfix_delivers_while_postgresql_comes_and_goes(
    house: House, postgres: PostgresServer, started: ExitStack
) -> None:
    start(started, house)
    with running_postfix(house.port, HOST, house.folder / "authority.pem") as postfix:
        for turn in range(3):
            mails = [report_mail(f"r-{turn}-{number}") for number in range(20)]
            assert postfix.hand_over(mails[:10], RECIPIENT, sender="noreply@reporter.example") == 10
            until(lambda turn=turn: len(house.ids()) == 20 * turn + 10, 60)
            postgres.stop()
            assert postfix.hand_over(mails[10:], RECIPIENT, sender="noreply@reporter.example") == 10
            until(lambda: postfix.queued == 0, 60)
            until(lambda turn=turn: house.outages()[0] == turn + 1)
            postgres.start()
            until(lambda turn=turn: len(house.ids()) == 20 * turn + 20, 60)
        assert "status=deferred" not in postfix.log, "no sender has to come back because of our database"
    until(house.is_done)
    assert (set(house.ids().values()), house.counted(DOMAIN)) == ({1}, 60)
    assert set(house.grades().values()) == {"verified"}
    until(lambda: house.outages() == (3, 3))
    assert house.damage() == []


def test_the_address_of_the_database_is_never_logged(house: House, started: ExitStack) -> None:
    secret = "swordfish"
    (house.folder / "database-url").write_text(f"postgresql://mailguard:{secret}@127.0.0.1:{free_port()}/postgres\n")
    start(started, house)
    with smtplib.SMTP("127.0.0.1", house.port) as client:
        client.sendmail("noreply@reporter.example", [RECIPIENT], report_mail("r-1"))
    until(lambda: house.outages()[0] == 1)
    assert "127.0.0.1" in house.log_text()
    assert secret not in house.log_text()
