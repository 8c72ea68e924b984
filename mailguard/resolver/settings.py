"""Whom to ask, how long to wait and how much to keep."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mailguard.errors import UsageError

DNS_PORT: Final = 53

_WITH_PORT = re.compile(r"(?:\[(?P<v6>[^\]]*)\]|(?P<v4>[^:\[\]]*))(?::(?P<port>[0-9]{1,5}))?\Z")


@dataclass(frozen=True, slots=True)
class NameServer:
    """The address and port of a server that answers questions for us."""

    host: str
    port: int = DNS_PORT

    def __str__(self) -> str:
        """The form that :func:`parse_nameserver` reads, without the port where it is 53."""
        if self.port == DNS_PORT:
            return self.host
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class ResolverSettings:
    """What a resolver may spend.

    ``timeout_s`` is all the time that one question may take, shared evenly by its ``attempts``; an attempt over TCP
    may take two shares. An audit's own deadline (``Session``) is another matter.

    ``hold_s`` keeps every answer at least that long whatever its TTL, failures included: a command-line run sets it
    longer than the run, so that nothing is asked twice. A daemon leaves it at 0 and obeys the TTLs, within
    ``max_ttl_s`` and ``max_negative_ttl_s`` (RFC 2308 section 5 advises one to three hours), and remembers a
    failure for ``failure_ttl_s`` (RFC 9520 section 3.2: between one second and five minutes).
    """

    nameservers: tuple[NameServer, ...] = ()  # none: those of the system
    timeout_s: float = 6.0
    attempts: int = 3  # at least one per server
    max_in_flight: int = 500  # questions sent and not yet answered; further ones wait their turn
    sockets: int = 24  # UDP sockets kept open per server
    socket_uses: int = 400  # questions sent from one socket before it is retired
    socket_age_s: float = 60.0
    cache_entries: int = 20_000
    cache_octets: int = 64 * 1024 * 1024  # of responses as received
    hold_s: float = 0.0
    max_ttl_s: int = 86_400
    max_negative_ttl_s: int = 3_600
    failure_ttl_s: float = 5.0


def parse_nameserver(text: str) -> NameServer:
    """Read ``HOST[:PORT]``: an IPv4 address, an IPv6 address (in brackets where a port follows) or ``localhost``.

    Raises:
        UsageError: in one sentence, for anything else. A host *name* is refused: finding its address would need
            the very answer that is being set up.
    """
    stripped = text.strip()
    if _is_address(stripped):
        return NameServer(stripped.lower())
    match = _WITH_PORT.match(stripped)
    if match is None:
        raise _bad(text)
    host = (match["v4"] if match["v6"] is None else match["v6"]).lower()
    if host == "localhost":
        host = "127.0.0.1"
    if not _is_address(host) or (match["v6"] is not None) != (":" in host):
        raise _bad(text)
    port = int(match["port"] or DNS_PORT)
    if not 0 < port < 65_536:
        raise UsageError("The name server {text!r} has port {port}; ports go from 1 to 65535.", text=text, port=port)
    return NameServer(host, port)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _bad(text: str) -> UsageError:
    return UsageError(
        "{text!r} is no name server address; write it like 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:53.",
        text=text,
    )


def choose_nameservers(explicit: Sequence[NameServer]) -> tuple[NameServer, ...]:
    """``explicit`` without repetitions, or what the system's configuration names.

    Raises:
        UsageError: when the system names none.
    """
    if explicit:
        return tuple(dict.fromkeys(explicit))
    import dns.resolver  # 80 ms, and not needed when servers are given

    try:
        configured = dns.resolver.Resolver(configure=True)
        servers = [NameServer(str(address), configured.port) for address in configured.nameservers]
    except (dns.resolver.NoResolverConfiguration, ValueError, OSError):
        servers = []
    if not servers:
        raise UsageError("This system names no DNS server (/etc/resolv.conf); name one with --nameserver HOST[:PORT].")
    return tuple(dict.fromkeys(servers))
