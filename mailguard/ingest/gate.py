"""How many sessions may be open, how fast they may come, and how many bytes of mail may be in memory.

Places are few and strangers many, so a place is kept by using it: when all are taken, a newcomer gets that of who has
been silent longest, and room for mail is taken back from who does not fill it. Attackers that hold connections open, or
announce large mails and let them drip, cannot keep others out that way.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final, Protocol

_MINUTE_S: Final = 60.0
_MAX_NETWORKS: Final = 20_000
_MAX_WELCOME: Final = 1_000
_FILL_S: Final = 60.0
"""Who would need longer than this to fill the room that it holds is slow, and has to leave it to others."""


class OutOfRoom(Exception):
    """Too many bytes of mail are being received at the moment."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a client is: its address, and the /24 or /64 around it. Both are empty when the system does not tell."""

    address: str = ""
    network: str = ""


@lru_cache(maxsize=4096)
def origin_of(host: str) -> Origin:
    """The origin of an address as the system writes it; an IPv4 address that wears IPv6 is one of IPv4."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return Origin()
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    network = ip_network((address, 24 if address.version == 4 else 64), strict=False)
    return Origin(str(address), str(network))


class Visitor(Protocol):
    """A session, as the gate sees it."""

    def is_busy(self) -> bool:
        """Whether a mail is being received or kept."""
        ...

    def make_room(self) -> None:
        """End at once, so that somebody else can come in."""
        ...

    def say_goodbye(self) -> None:
        """End, because we stop."""
        ...


class Holder(Protocol):
    """A mail that is being received, as the gate sees it."""

    origin: Origin

    @property
    def held(self) -> int:
        """Bytes of room that it has."""
        ...

    @property
    def seen(self) -> int:
        """Bytes that have come."""
        ...

    def give_way(self) -> None:
        """Give the room back at once; the mail will be sent again later."""
        ...


@dataclass(frozen=True, slots=True)
class GateBounds:
    """``connections`` at one time: in all, from one address, from one /24 or /64; ``per_minute`` new ones from one
    network; ``mail_bytes`` being received: in all, from one network. Who has been silent for ``patience_s`` may be sent
    away when all places are taken and somebody new comes; who comes from where a mail was taken lately need not wait.
    So may a mail that has been under way for ``patience_s`` at a pace at which it would not come within a minute.

    There is no bound on new connections from everywhere: an attacker would reach it first, and shut out the others.
    """

    connections: int
    connections_per_address: int
    connections_per_network: int
    per_minute: int
    mail_bytes: int
    mail_bytes_per_network: int
    patience_s: float = 1.0


@dataclass(slots=True)
class _Seat:
    origin: Origin | None
    heard_at: float


class Gate:
    """Counts what the sessions of one listener hold together."""

    def __init__(self, bounds: GateBounds, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._bounds = bounds
        self._clock = clock
        self._seats: OrderedDict[Visitor, _Seat] = OrderedDict()  # who was heard last stands last
        self._open: Counter[str] = Counter()  # sessions per address and per network
        self._arrivals: Counter[str] = Counter()  # in this minute, per network
        self._welcome: OrderedDict[str, None] = OrderedDict()  # networks that mail came from, the last one last
        self._minute_ends = 0.0
        self._holders: dict[Holder, float] = {}  # since when
        self._held: Counter[str] = Counter()  # bytes of mail per network
        self._all_held = 0
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def visitors(self) -> list[Visitor]:
        """All sessions that are open."""
        return list(self._seats)

    def enter(self, visitor: Visitor, origin: Origin | None) -> bool:
        """Let a session in, unless there are too many. ``origin`` is None until a proxy has told it."""
        if origin and not self._may_come(origin):
            return False
        if len(self._seats) >= self._bounds.connections and not self._clear_a_seat(self._patience(origin)):
            return False
        self._seats[visitor] = _Seat(None, self._clock())
        self._empty.clear()
        if origin:
            self._place(visitor, origin)
        return True

    def name(self, visitor: Visitor, origin: Origin) -> bool:
        """Say where a session that is in comes from. False when there are too many from there; it must go then."""
        if visitor not in self._seats or not self._may_come(origin):
            return False
        self._place(visitor, origin)
        return True

    def leave(self, visitor: Visitor) -> None:
        """Forget a session; it need not have been let in."""
        seat = self._seats.pop(visitor, None)
        if seat and seat.origin:
            self._open -= Counter((seat.origin.address, seat.origin.network))  # which drops those at zero
        if not self._seats:
            self._empty.set()

    def heard(self, visitor: Visitor) -> None:
        """A session is not silent."""
        if seat := self._seats.get(visitor):
            seat.heard_at = self._clock()
            self._seats.move_to_end(visitor)

    def welcome(self, origin: Origin) -> None:
        """Remember that a mail was taken from there."""
        self._welcome[origin.network] = None
        self._welcome.move_to_end(origin.network)
        if len(self._welcome) > _MAX_WELCOME:
            self._welcome.popitem(last=False)

    def has_room(self, origin: Origin, size: int, holder: Holder | None = None) -> bool:
        """Whether a mail of so many bytes, ``holder``'s, could be received now, if need be in the room of slow ones."""
        if self._fits(origin, size):
            return True
        slow = self._slow_ones(holder)
        of_network = sum(holder.held for holder in slow if holder.origin.network == origin.network)
        return self._fits(origin, size, sum(holder.held for holder in slow), of_network)

    def take(self, origin: Origin, size: int, holder: Holder | None = None) -> None:
        """Count bytes of a mail, ``holder``'s. Raises OutOfRoom, and then has not counted them.

        Other mails that are slow may have to give way.
        """
        if not self._fits(origin, size):
            self._send_slow_ones_away(origin, size, holder)
        if not self._fits(origin, size):
            raise OutOfRoom
        self._all_held += size
        self._held[origin.network] += size

    def give_back(self, origin: Origin, size: int) -> None:
        """The bytes are no longer held."""
        self._all_held -= size
        self._held[origin.network] -= size
        if self._held[origin.network] <= 0:
            del self._held[origin.network]

    def begin(self, holder: Holder) -> None:
        """A mail is being received from now on."""
        self._holders[holder] = self._clock()

    def end(self, holder: Holder) -> None:
        """It has come, or will not come."""
        self._holders.pop(holder, None)

    async def until_empty(self, timeout_s: float) -> bool:
        """Wait until every session has ended; false when some linger."""
        try:
            await asyncio.wait_for(self._empty.wait(), timeout_s)
        except TimeoutError:
            return False
        return True

    def _fits(self, origin: Origin, size: int, freed: int = 0, freed_of_network: int = 0) -> bool:
        of_network = self._held.get(origin.network, 0) - freed_of_network + size
        in_all = self._all_held - freed + size
        return in_all <= self._bounds.mail_bytes and of_network <= self._bounds.mail_bytes_per_network

    def _slow_ones(self, asking: Holder | None) -> list[Holder]:
        """Mails that do not fill the room they have, those that hold most of it first."""
        now, patience_s = self._clock(), self._bounds.patience_s
        ages = ((holder, now - since) for holder, since in self._holders.items() if now - since >= patience_s)
        slow = (one for one, age in ages if one.seen * _FILL_S < one.held * age and one is not asking)
        return sorted(slow, key=lambda holder: holder.held, reverse=True)

    def _send_slow_ones_away(self, origin: Origin, size: int, asking: Holder | None) -> None:
        """Those of the same network first; others only where all room is taken."""
        if not self.has_room(origin, size, asking):
            return  # it would not help
        for holder in sorted(self._slow_ones(asking), key=lambda one: one.origin.network != origin.network):
            if self._fits(origin, size):
                return
            if holder.origin.network == origin.network or self._all_held + size > self._bounds.mail_bytes:
                holder.give_way()

    def _may_come(self, origin: Origin) -> bool:
        return (
            self._arrives(origin.network)
            and self._open[origin.address] < self._bounds.connections_per_address
            and self._open[origin.network] < self._bounds.connections_per_network
        )

    def _arrives(self, network: str) -> bool:
        """Count an arrival."""
        now = self._clock()
        if now >= self._minute_ends or len(self._arrivals) > _MAX_NETWORKS:
            self._minute_ends = now + _MINUTE_S
            self._arrivals.clear()
        self._arrivals[network] += 1
        return self._arrivals[network] <= self._bounds.per_minute

    def _place(self, visitor: Visitor, origin: Origin) -> None:
        self._seats[visitor].origin = origin
        self._open.update((origin.address, origin.network))

    def _patience(self, origin: Origin | None) -> float:
        return 0.0 if origin and origin.network in self._welcome else self._bounds.patience_s

    def _clear_a_seat(self, patience_s: float) -> bool:
        """Send away who has been silent longest, if that is long enough and no mail of theirs is under way."""
        for visitor, seat in self._seats.items():
            if self._clock() - seat.heard_at < patience_s:
                return False
            if not visitor.is_busy():
                self.leave(visitor)
                visitor.make_room()
                return True
        return False
