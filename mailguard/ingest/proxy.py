"""Clients behind a proxy (HAProxy's PROXY protocol, versions 1 and 2).

Anybody could claim any address in a PROXY header. So only peers that were named may send one; from them it is required,
and from all others it is an unknown command. aiosmtpd parses the header.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from aiosmtpd.proxy_protocol import ProxyData

from mailguard.errors import UsageError
from mailguard.ingest.gate import Origin, origin_of


class Proxies:
    """The addresses and networks whose word about a client's address is taken. Raises UsageError for other text."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        self._networks: Final[list[IPv4Network | IPv6Network]] = []
        for text in networks:
            try:
                self._networks.append(ip_network(text))
            except ValueError as error:
                raise UsageError("{text} is not a network like 192.0.2.0/24.", text=repr(text)) from error

    def __contains__(self, origin: Origin) -> bool:
        if not self._networks or not origin.address:
            return False
        address = ip_address(origin.address)
        return any(address in network for network in self._networks)


def client_of(header: ProxyData, proxy: Origin) -> Origin:
    """Where the client is that a proxy speaks for; the proxy itself when it says it comes on its own account."""
    if isinstance(header.src_addr, IPv4Address | IPv6Address):
        return origin_of(str(header.src_addr))
    return proxy
