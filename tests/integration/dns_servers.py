"""Real name servers on loopback: nsd with zones, and unbound validating and resolving through it.

Both run as ordinary processes in a directory of their own, on ports that the system chose.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dns.dnssec
import dns.exception
import dns.message
import dns.query
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.DS
import dns.zone
from cryptography.hazmat.primitives.asymmetric import ec

from mailguard.resolver import NameServer

WAIT_S = 15.0


def find_program(program: str) -> str | None:
    """Where a server's program is; Debian keeps them off an ordinary user's path."""
    return shutil.which(program, path=os.environ.get("PATH", "") + os.pathsep + "/usr/sbin")


def free_port() -> int:
    """A port that was free for UDP and TCP a moment ago."""
    while True:
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
        ):
            udp.bind(("127.0.0.1", 0))
            port = int(udp.getsockname()[1])
            try:
                tcp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


@dataclass(frozen=True, slots=True)
class SignedZone:
    """A zone file with signatures, and the DS record that vouches for its key."""

    text: str
    anchor: str


def sign(origin: str, text: str) -> SignedZone:
    """Sign a zone with a key made for it (ECDSA P-256, NSEC)."""
    zone = dns.zone.from_text(text, origin, relativize=False)
    private = ec.generate_private_key(ec.SECP256R1())
    key = dns.dnssec.make_dnskey(private.public_key(), dns.dnssec.Algorithm.ECDSAP256SHA256, flags=257)
    with zone.writer() as transaction:
        dns.dnssec.sign_zone(zone, transaction, keys=[(private, key)], lifetime=86_400)
    ds = dns.dnssec.make_ds(origin, key, dns.dnssec.DSDigest.SHA256)
    return SignedZone(zone.to_text(), f"{origin} IN DS {ds.to_text()}")


@contextmanager
def running_nsd(directory: Path, zones: Mapping[str, str], port: int | None = None) -> Iterator[NameServer]:
    """nsd, authoritative for ``zones``: origin (with final dot) to zone file."""
    port = port or free_port()
    stanzas = []
    for origin, text in zones.items():
        path = directory / f"{origin}zone"
        path.write_text(text, encoding="utf-8")
        stanzas.append(f'zone:\n  name: "{origin}"\n  zonefile: "{path}"\n')
    config = directory / "nsd.conf"
    config.write_text(
        f"""
server:
  ip-address: 127.0.0.1@{port}
  server-count: 1
  username: ""
  chroot: ""
  database: ""
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
  zonesdir: "{directory}"
  xfrdir: "{directory}"
  pidfile: "{directory}/nsd.pid"
  zonelistfile: "{directory}/zone.list"
  xfrdfile: "{directory}/xfrd.state"
remote-control:
  control-enable: no
{"".join(stanzas)}""",
        encoding="utf-8",
    )
    with _running(["nsd", "-d", "-c", str(config)], directory / "nsd.log", port, next(iter(zones))):
        yield NameServer("127.0.0.1", port)


@contextmanager
def running_unbound(
    directory: Path, authority: NameServer, origins: list[str], anchors: list[str]
) -> Iterator[NameServer]:
    """unbound, which asks ``authority`` for ``origins`` and validates below ``anchors``."""
    port = free_port()
    config = directory / "unbound.conf"
    quoted = "".join(f"  trust-anchor: '{anchor}'\n" for anchor in anchors)
    stubs = "".join(
        f'stub-zone:\n  name: "{origin}"\n  stub-addr: {authority.host}@{authority.port}\n' for origin in origins
    )
    config.write_text(
        f"""
server:
  interface: 127.0.0.1
  port: {port}
  do-daemonize: no
  do-ip6: no
  do-not-query-localhost: no
  chroot: ""
  username: ""
  directory: "{directory}"
  pidfile: ""
  use-syslog: no
  logfile: ""
  num-threads: 1
  module-config: "validator iterator"
  root-hints: ""
{quoted}remote-control:
  control-enable: no
{stubs}""",
        encoding="utf-8",
    )
    with _running(["unbound", "-d", "-c", str(config)], directory / "unbound.log", port, origins[0]):
        yield NameServer("127.0.0.1", port)


@contextmanager
def _running(command: list[str], log: Path, port: int, origin: str) -> Iterator[None]:
    program = find_program(command[0])
    assert program is not None
    with log.open("wb") as output:
        process = subprocess.Popen([program, *command[1:]], stdout=output, stderr=subprocess.STDOUT)
        try:
            _wait_until_it_answers(process, log, port, origin)
            yield
        finally:
            process.terminate()
            process.wait(WAIT_S)


def _wait_until_it_answers(process: subprocess.Popen[bytes], log: Path, port: int, origin: str) -> None:
    query = dns.message.make_query(origin, dns.rdatatype.SOA)
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if dns.query.udp(query, "127.0.0.1", timeout=0.2, port=port).answer:
                return
        except (dns.exception.DNSException, OSError):
            pass
        time.sleep(0.02)
    raise AssertionError(f"{process.args!r} does not answer:\n{log.read_text(encoding='utf-8', errors='replace')}")
