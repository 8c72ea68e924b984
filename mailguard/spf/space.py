"""Sets of addresses of one IP version, as sorted ranges of integers that neither touch nor overlap."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, summarize_address_range
from typing import Final

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Space:
    """A set of addresses; ``version`` is 4 or 6. Each range is (first, last), both included."""

    version: int
    ranges: tuple[tuple[int, int], ...] = ()

    @property
    def bits(self) -> int:
        """Length of an address."""
        return 32 if self.version == 4 else 128

    @property
    def size(self) -> int:
        """How many addresses."""
        return sum(last - first + 1 for first, last in self.ranges)

    @property
    def is_most(self) -> bool:
        """Whether it holds at least half of all addresses there are."""
        return self.size >= 1 << (self.bits - 1)

    def __or__(self, other: Space) -> Space:
        return Space(self.version, _merged((*self.ranges, *other.ranges))) if other.ranges else self

    def __sub__(self, other: Space) -> Space:
        if not self.ranges or not other.ranges:
            return self
        return Space(self.version, tuple(_without(self.ranges, other.ranges)))

    def __contains__(self, address: IPv4Address | IPv6Address) -> bool:
        number = int(address)
        return address.version == self.version and any(first <= number <= last for first, last in self.ranges)

    def networks(self) -> tuple[Network, ...]:
        """The smallest list of networks that covers exactly this set, in order."""
        kind = IPv4Address if self.version == 4 else IPv6Address
        return tuple(
            network for first, last in self.ranges for network in summarize_address_range(kind(first), kind(last))
        )


EMPTY: Final = {4: Space(4), 6: Space(6)}
EVERYTHING: Final = {4: Space(4, ((0, (1 << 32) - 1),)), 6: Space(6, ((0, (1 << 128) - 1),))}


def space_of(version: int, networks: Iterable[Network]) -> Space:
    """The addresses of those networks that are of ``version``."""
    # Both ends are kept by the network objects, and those by the cached records.
    ends = [
        (int(network.network_address), int(network.broadcast_address))
        for network in networks
        if network.version == version
    ]
    return Space(version, _merged(ends)) if ends else EMPTY[version]


def _merged(ranges: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    out: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if out and first <= out[-1][1] + 1:
            out[-1] = (out[-1][0], max(out[-1][1], last))
        else:
            out.append((first, last))
    return tuple(out)


def _without(ranges: tuple[tuple[int, int], ...], holes: tuple[tuple[int, int], ...]) -> Iterable[tuple[int, int]]:
    """Both sorted; one walk over each."""
    skip = 0
    for start, last in ranges:
        first = start
        while skip < len(holes) and holes[skip][1] < first:
            skip += 1
        hole = skip
        while hole < len(holes) and holes[hole][0] <= last and first <= last:
            if holes[hole][0] > first:
                yield first, holes[hole][0] - 1
            first = holes[hole][1] + 1
            hole += 1
        if first <= last:
            yield first, last
