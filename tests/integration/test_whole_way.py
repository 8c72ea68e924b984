"""The whole way of a report with real parts: from Postfix or Dovecot, through `mailguard serve` and DNS by nsd, into
SQLite or PostgreSQL, and what is counted in the end."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailguard.resolver import NameServer
from mailguard.store import open_reader
from mailguard.store.reports import Window
from tests.cli.daemon import Daemon, until
from tests.feedback.mails import mail, record, report
from tests.integration.dns_servers import find_program, running_nsd
from tests.integration.postfix.authority import Authority
from tests.integration.postfix.receiver import HOST, RECIPIENT
from tests.integration.postfix.server import Postfix, needs_postfix, needs_root, running_postfix

pytestmark = [
    pytest.mark.integration,
    needs_postfix,
    needs_root,
    pytest.mark.skipif(find_program("nsd") is None, reason="nsd is not here: apt install nsd"),
]

# Both may send from here; only the first is the author of the reports.
ZONE = """
$TTL 60
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A 127.0.0.1
reporter TXT "v=spf1 ip4:127.0.0.1 -all"
_dmarc.reporter TXT "v=DMARC1; p=reject"
forger TXT "v=spf1 ip4:127.0.0.1 -all"
"""

SETTINGS = """
[database]
url = "reports.db"
[spool]
path = "spool"
free_mib = 0
[trust]
domains = ["clinic.example.jp"]
nameservers = ["127.0.0.1:{dns_port}"]
[listener]
listen = "127.0.0.1:{{port}}"
hostname = "{host}"
addresses = ["{recipient}"]
tls_certificate_file = "chain.pem"
tls_key_file = "key.pem"
"""


@pytest.fixture
def dns(tmp_path: Path) -> Iterator[NameServer]:
    folder = tmp_path / "dns"
    folder.mkdir()
    with running_nsd(folder, {"example.": ZONE}) as server:
        yield server


@pytest.fixture
def daemon(tmp_path: Path, dns: NameServer) -> Iterator[Daemon]:
    Authority(tmp_path / "authority.pem", "test authority").issue(tmp_path / "chain.pem", tmp_path / "key.pem", HOST)
    daemon = Daemon(tmp_path, SETTINGS.format(dns_port=dns.port, host=HOST, recipient=RECIPIENT))
    daemon.start()
    yield daemon
    if daemon.process is not None and daemon.process.poll() is None:
        daemon.kill()


@pytest.fixture
def postfix(daemon: Daemon) -> Iterator[Postfix]:
    with running_postfix(daemon.port, HOST, daemon.folder / "authority.pem") as server:
        yield server


def report_mail(id: str, count: int) -> bytes:
    return mail(gzip.compress(report(record(count=count)).replace("r-1", id).encode(), mtime=0))


def messages(daemon: Daemon) -> int:
    """How many messages are counted where nobody asks for more than what is proved."""
    with open_reader(daemon.folder / "reports.db") as reader:
        return sum(row.messages for row in reader.reporters(Window("clinic.example.jp")))


def test_a_report_is_counted_and_a_forged_one_is_not(daemon: Daemon, postfix: Postfix) -> None:
    """A stranger takes the name, the id and the domain of a reporter, first before and then after the true report."""
    postfix.hand_over([report_mail("r-1", 1000)], RECIPIENT, sender="anybody@forger.example")
    until(lambda: daemon.ids()["r-1"] == 1)
    assert messages(daemon) == 0
    postfix.hand_over([report_mail("r-1", 7), report_mail("r-2", 5)], RECIPIENT, sender="noreply@reporter.example")
    until(lambda: daemon.ids().total() == 3)
    assert messages(daemon) == 12
    postfix.hand_over([report_mail("r-2", 2000), report_mail("r-3", 3000)], RECIPIENT, sender="anybody@forger.example")
    until(lambda: daemon.ids().total() == 5)
    assert messages(daemon) == 12
    with open_reader(daemon.folder / "reports.db") as reader:
        rows = reader.list_reports(limit=10)
    assert sorted((row.report_id, row.grade, row.reporter, row.messages) for row in rows) == [
        ("r-1", "authenticated", "forger.example", 1000),
        ("r-1", "verified", "reporter.example", 7),
        ("r-2", "authenticated", "forger.example", 2000),
        ("r-2", "verified", "reporter.example", 5),
        ("r-3", "authenticated", "forger.example", 3000),
    ]
    assert [row.conflicts for row in rows] == [0] * 5
    assert daemon.stop() == 0


def test_the_same_report_again_is_counted_once(daemon: Daemon, postfix: Postfix) -> None:
    """As two mails of one report, which have other Received fields."""
    postfix.hand_over([report_mail("r-1", 7)] * 3, RECIPIENT, sender="noreply@reporter.example")
    until(lambda: postfix.queued == 0 and daemon.ids() and not daemon.waiting())
    postfix.hand_over([report_mail("r-2", 1)], RECIPIENT, sender="noreply@reporter.example")
    until(lambda: daemon.ids()["r-2"] == 1 and not daemon.waiting())
    assert daemon.ids().total() == 2
    assert messages(daemon) == 8
