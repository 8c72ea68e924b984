"""Which networks make no sense in an SPF record, or suspiciously much."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

from mailguard.spf.space import Network

WIDE_IP4_PREFIX: Final = 16
WIDE_IP6_PREFIX: Final = 32

# Documentation networks (RFC 5737, RFC 3849) are left out on purpose: they harm nobody and examples use them.
PRIVATE: Final[tuple[Network, ...]] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "224.0.0.0/3",
        "::/127",
        "fc00::/7",
        "fe80::/10",
        "ff00::/8",
    )
)
"""Networks from which no mail can come over the internet (RFC 1918, 6598, 4193, 6890)."""


def is_private(network: Network) -> bool:
    """Whether a network lies within one of ``PRIVATE``."""
    if isinstance(network, IPv4Network):
        return any(network.subnet_of(private) for private in PRIVATE if isinstance(private, IPv4Network))
    return any(network.subnet_of(private) for private in PRIVATE if isinstance(private, IPv6Network))


def is_wide(network: Network) -> bool:
    """Whether a network is wider than one organisation's mail servers need: /16 and wider, for IPv6 /32 and wider."""
    return network.prefixlen <= (WIDE_IP4_PREFIX if network.version == 4 else WIDE_IP6_PREFIX)


def network_of(address: str, prefix: int | None) -> Network | None:
    """The network around an address; ``None`` for a text that is no address."""
    try:
        return ip_network(address if prefix is None else f"{address}/{prefix}", strict=False)
    except ValueError:
        return None
