#!/usr/bin/env python3
"""Audit two domains against a real authoritative server (nsd) on loopback: ``.ci/audit.py MAILGUARD``.

MAILGUARD is the command to try, usually from a wheel in an empty environment. Ends with a sentence and 0, or says what
was not as it should be and ends with 1.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ZONE = Path(__file__).with_name("zones.txt")
START_SECONDS = 10
CONFIG = """
server:
  ip-address: 127.0.0.1
  port: {port}
  do-ip6: no
  username: ""
  zonesdir: "{folder}"
  pidfile: ""
  database: ""
  xfrdfile: "{folder}/xfrd.state"
  zonelistfile: "{folder}/zone.list"
  hide-version: yes
remote-control:
  control-enable: no
zone:
  name: "."
  zonefile: "{zone}"
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def nsd(folder: Path) -> Iterator[int]:
    """Run nsd until the block ends; gives its port on 127.0.0.1."""
    program = shutil.which("nsd") or shutil.which("nsd", path="/usr/sbin")
    if program is None:
        sys.exit("nsd is needed: apt install nsd")
    port = free_port()
    config = folder / "nsd.conf"
    config.write_text(CONFIG.format(port=port, folder=folder, zone=ZONE.resolve()))
    command = [program, "-d", "-c", str(config)]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)  # noqa: S603
    try:
        wait_until_listening(server, port)
        yield port
    finally:
        server.terminate()
        server.wait()


def wait_until_listening(server: subprocess.Popen[str], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            sys.exit(f"nsd did not start: {server.stderr.read() if server.stderr else ''}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"nsd did not listen within {START_SECONDS} s")


def audit(mailguard: str, folder: Path, domain: str, *options: str) -> tuple[int, dict[str, Any]]:
    """Run the command outside the checkout, in a locale that cannot show Japanese, as a bare server has it."""
    command = [mailguard, "audit", domain, "--format", "json", *options]
    bare = {"LC_ALL": "C"}
    done = subprocess.run(command, cwd=folder, env=bare, capture_output=True, text=True, check=False)  # noqa: S603
    try:
        return done.returncode, json.loads(done.stdout)
    except json.JSONDecodeError:
        sys.exit(f"{' '.join(command)}: exit {done.returncode}, no JSON on stdout\n{done.stdout}\n{done.stderr}")


def expect(what: str, seen: object, wanted: object) -> None:
    if seen != wanted:
        sys.exit(f"{what}: {seen!r}, not {wanted!r}")


def audit_both(mailguard: str, folder: Path, evidence: Path) -> dict[str, Any]:
    """The two domains against a running server; returns what was said of the good one."""
    with nsd(folder) as port:
        server = ("--nameserver", f"127.0.0.1:{port}")
        keep = ("--selector", "s1", "--save-evidence", str(evidence))
        status, good = audit(mailguard, folder, "good.example.jp", *server, *keep)
        expect("good.example.jp: spoofable as the domain", good["spoofable"]["domain"], "no")
        expect("good.example.jp: DKIM", good["dkim"]["status"], "present")
        expect("good.example.jp: exit code", status, 0)
        status, bad = audit(mailguard, folder, "open.example.jp", *server)
        expect("open.example.jp: spoofable as the domain", bad["spoofable"]["domain"], "yes")
        expect("open.example.jp: exit code", status, 1)
    return good


def main(mailguard: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        evidence = folder / "evidence"
        first = audit_both(mailguard, folder, evidence)
        # The server is gone: what follows can only come from the evidence.
        _, again = audit(mailguard, folder, "good.example.jp", "--selector", "s1", "--replay", str(evidence))
        expect("findings of the replay", again["findings"], first["findings"])
    print("audits against nsd, and a replay without it: as they should be")


if __name__ == "__main__":
    main(sys.argv[1])
