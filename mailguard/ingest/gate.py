"""How many sessions may be open, and how many bytes of mail may be in memory."""

from __future__ import annotations

import asyncio
from collections import Counter
from ipaddress import ip_address, ip_network


class OutOfRoom(Exception):
    """Too many bytes of mail are being received at the moment."""


class Gate:
    """Counts what the sessions of one listener hold together.

    Bounds: ``connections`` in all, ``per_network`` from one /24 or /64, ``mail_bytes`` of mail being received.
    """

    def __init__(self, connections: int, per_network: int, mail_bytes: int) -> None:
        self._connections = connections
        self._per_network = per_network
        self._room = mail_bytes
        self._open: set[asyncio.Transport] = set()
        self._networks: Counter[str] = Counter()
        self._empty = asyncio.Event()
        self._empty.set()

    def enter(self, transport: asyncio.Transport) -> bool:
        """Let a connection in, unless there are too many."""
        network = _network_of(transport)
        if len(self._open) >= self._connections or self._networks[network] >= self._per_network:
            return False
        self._open.add(transport)
        self._networks[network] += 1
        self._empty.clear()
        return True

    def leave(self, transport: asyncio.Transport) -> None:
        """Forget a connection that was let in."""
        self._open.discard(transport)
        self._networks -= Counter([_network_of(transport)])
        if not self._open:
            self._empty.set()

    def take(self, size: int) -> None:
        """Count bytes of a mail. Raises OutOfRoom, and then has not counted them."""
        if size > self._room:
            raise OutOfRoom
        self._room -= size

    def give_back(self, size: int) -> None:
        """The bytes are no longer held."""
        self._room += size

    async def close(self, farewell: bytes, grace_s: float) -> None:
        """Say farewell to every session and wait until all have ended, those that linger by force."""
        for transport in list(self._open):
            transport.write(farewell)
            transport.close()
        try:
            await asyncio.wait_for(self._empty.wait(), grace_s)
        except TimeoutError:
            for transport in list(self._open):
                transport.abort()
            await self._empty.wait()


def _network_of(transport: asyncio.Transport) -> str:
    peer = transport.get_extra_info("peername")
    try:
        address = ip_address(str(peer[0]).partition("%")[0])
    except (TypeError, IndexError, ValueError):
        return ""
    return str(ip_network((address, 24 if address.version == 4 else 64), strict=False))
