"""A command line and a DNS server for it: real processes, and a loopback server in a thread of the test's own.

::

    with served('clinic.example.jp TXT "v=spf1 -all"') as dns:
        result = mailguard("audit", "clinic.example.jp", *dns.options)
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.hostile_dns import LoopbackDns, Tcp, Udp, serving, silence
from tests.zones import Zone

KEY = (
    '"v=DKIM1; k=rsa; p=" '
    '"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA1pOJixOyJcaeiYKPYrXA8FH03KVg9kUJ/pYHR8dk0h0HySnpOARzrz" '
    '"fqR0yo9OhDTao3jx3TQOeepwLRXx048kj9OZmyfXOFo+HAGBaGdkIsDQJPanjB0ymwj4eCxCbS3xhi9AEqi5B9l0hWs8Q12gPF" '
    '"1UVTlCZWWmTHV9/eOu9lR+pbT00Q8obkn4jIRXlUqeTGiggz73vewJxka62zx4ANJxC/O4n9O8S4TpAnWGaaRUTAEV6R0i4otp" '
    '"vzABt8r7Pens6FskpYmRMqBP2cvl9F2mAg6Gv4HUNhtzGPOXdRfZq434k/F14KlT5zbXRSU8A8N0ahDlXz6YKyIQjC5QIDAQAB"'
)

GOOD = f"""
clinic.example.jp                 MX   10 mail.clinic.example.jp
clinic.example.jp                 TXT  "v=spf1 ip4:192.0.2.10 -all"
mail.clinic.example.jp            A    192.0.2.10
s1._domainkey.clinic.example.jp   TXT  {KEY}
_dmarc.clinic.example.jp          TXT  "v=DMARC1; p=reject; rua=mailto:dmarc@clinic.example.jp"
"""
"""A domain with nothing of any weight to correct, where ``--selector s1 --mailing-lists no`` is said."""

BARE = """
bare.example.jp  MX  10 mail.bare.example.jp
bare.example.jp  TXT "v=spf1 ip4:192.0.2.10 ~all"
mail.bare.example.jp  A  192.0.2.10
"""
"""Mail, but no DMARC: a finding above any --fail-on but never."""

SILENT = """
silent.example.jp          TXT  "v=spf1 -all"
_dmarc.silent.example.jp   TXT  !servfail
"""
"""A deciding question has no answer."""


class Dns:
    """A running server: the options that make mailguard ask it, and what it was asked."""

    def __init__(self, server: LoopbackDns) -> None:
        self._server = server

    @property
    def options(self) -> tuple[str, ...]:
        return ("--nameserver", str(self._server.nameserver), "--timeout", "1.5")

    @property
    def asked(self) -> list[str]:
        return list(self._server.asked)

    @property
    def names(self) -> list[str]:
        """Each distinct question once."""
        return sorted(set(self._server.asked))


class _SlowDns(LoopbackDns):
    """A server that thinks before it answers."""

    delay_s = 0.0

    def received(self, octets: bytes, client: tuple[str, int]) -> None:
        asyncio.get_running_loop().call_later(self.delay_s, super().received, octets, client)


@contextmanager
def served(zone: str | None = None, *, udp: Udp = silence, tcp: Tcp = silence, delay_s: float = 0.0) -> Iterator[Dns]:
    """A server for ``zone``, or one that behaves as ``udp`` and ``tcp`` say, in a thread of its own."""
    server = _SlowDns(serving(Zone.parse(zone)) if zone is not None else udp, tcp)
    server.delay_s = delay_s
    loop = asyncio.new_event_loop()
    ready, end = threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with server:
            ready.set()
            await end.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(10)
        yield Dns(server)
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join(10)
        loop.close()


def environment(**more: str) -> dict[str, str]:
    """A quiet English environment without the outer one's language or colour."""
    kept = {key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "TMPDIR", "SYSTEMROOT")}
    return {**kept, "LANG": "C.UTF-8", "MAILGUARD_LANG": "en", **more}


def mailguard(
    *arguments: str | os.PathLike[str],
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end. Whatever it says is UTF-8, or shown as replacement characters."""
    command = [sys.executable, "-m", "mailguard", *map(str, arguments)]
    done = subprocess.run(
        command, input=stdin, capture_output=True, env=environment(**(env or {})), cwd=cwd, timeout=60, check=False
    )
    texts = (done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))
    assert "Traceback" not in texts[1], texts[1]
    return subprocess.CompletedProcess(command, done.returncode, *texts)
