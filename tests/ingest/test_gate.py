"""Who may come in, and whose place is taken when there are too many."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from mailguard.ingest.gate import Gate, GateBounds, Origin, OutOfRoom, origin_of

BOUNDS = GateBounds(
    connections=4,
    connections_per_address=2,
    connections_per_network=3,
    per_minute=5,
    mail_bytes=100,
    mail_bytes_per_network=60,
)


class Visitor:
    def __init__(self, busy: bool = False) -> None:
        self.busy, self.gone = busy, False

    def is_busy(self) -> bool:
        return self.busy

    def make_room(self) -> None:
        self.gone = True

    def say_goodbye(self) -> None:
        self.gone = True


class House:
    def __init__(self, bounds: GateBounds = BOUNDS) -> None:
        self.time = 0.0
        self.gate = Gate(bounds, clock=lambda: self.time)

    def enter(self, host: str, busy: bool = False) -> Visitor | None:
        visitor = Visitor(busy)
        return visitor if self.gate.enter(visitor, origin_of(host)) else None


@pytest.mark.parametrize(
    ("host", "address", "network"),
    [
        ("192.0.2.77", "192.0.2.77", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:0:1:2::3", "2001:db8:0:1:2::3", "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "fe80::1", "fe80::/64"),
        ("", "", ""),
        ("a socket in the file system", "", ""),
    ],
)
def test_where_a_client_is(host: str, address: str, network: str) -> None:
    assert origin_of(host) == Origin(address, network)


def test_one_address_has_fewer_places_than_its_network() -> None:
    house = House()
    assert [bool(house.enter(host)) for host in ("192.0.2.1",) * 3] == [True, True, False]
    assert [bool(house.enter(host)) for host in ("192.0.2.2",) * 2] == [True, False]
    assert house.enter("198.51.100.1")


def test_a_place_is_free_again_when_its_holder_leaves() -> None:
    house = House()
    first, _ = house.enter("192.0.2.1"), house.enter("192.0.2.1")
    assert first is not None
    house.gate.leave(first)
    house.gate.leave(first)
    assert house.enter("192.0.2.1")


def test_who_comes_too_often_is_refused_until_the_minute_is_over() -> None:
    house = House()
    for expected in (True,) * 5 + (False,) * 3:
        visitor = house.enter("192.0.2.1")
        assert bool(visitor) == expected
        if visitor:
            house.gate.leave(visitor)
    assert house.enter("198.51.100.1")
    house.time = 60.0
    assert house.enter("192.0.2.1")


def test_a_newcomer_gets_the_place_of_who_has_been_silent_longest() -> None:
    house = House()
    silent = [house.enter(f"192.0.{number}.1") for number in range(4)]
    assert house.enter("198.51.100.1") is None, "all have just come"
    house.time = 0.9
    house.gate.heard(silent[0])  # type: ignore[arg-type]
    house.time = 1.5
    assert house.enter("198.51.100.1")
    assert [visitor.gone for visitor in silent if visitor] == [False, True, False, False]


def test_nobody_loses_a_place_while_a_mail_is_under_way() -> None:
    house = House()
    for number in range(4):
        house.enter(f"192.0.{number}.1", busy=True)
    house.time = 500.0
    assert house.enter("198.51.100.1") is None


def test_who_sent_mail_lately_need_not_wait_for_a_place() -> None:
    house = House()
    house.gate.welcome(origin_of("198.51.100.7"))
    for number in range(4):
        house.enter(f"192.0.{number}.1")
    assert house.enter("203.0.113.1") is None
    assert house.enter("198.51.100.1")


def test_bytes_are_counted_in_all_and_per_network() -> None:
    gate, here, there = Gate(BOUNDS), origin_of("192.0.2.1"), origin_of("198.51.100.1")
    gate.take(here, 60)
    with pytest.raises(OutOfRoom):
        gate.take(here, 1)
    with pytest.raises(OutOfRoom):
        gate.take(there, 41)
    gate.take(there, 40)
    gate.give_back(here, 60)
    gate.take(here, 60)


def test_a_client_behind_a_proxy_is_counted_when_it_is_named() -> None:
    gate = Gate(replace(BOUNDS, connections_per_address=1))
    first, second = Visitor(), Visitor()
    assert gate.enter(first, None)
    assert gate.enter(second, None)
    assert gate.name(first, origin_of("192.0.2.1"))
    assert not gate.name(second, origin_of("192.0.2.1"))
    gate.leave(first)
    assert gate.name(second, origin_of("192.0.2.1"))
    assert not gate.name(Visitor(), origin_of("192.0.2.9")), "who was never let in"


@dataclass(eq=False)
class Mail:
    """A mail that has some room and has brought some of it."""

    gate: Gate
    origin: Origin
    held: int
    seen: int = 0
    gone: bool = False

    def __post_init__(self) -> None:
        self.gate.take(self.origin, self.held)
        self.gate.begin(self)

    def give_way(self) -> None:
        self.gone = True
        self.gate.end(self)
        self.gate.give_back(self.origin, self.held)


def test_room_is_taken_back_from_who_does_not_fill_it() -> None:
    house = House()
    gate = house.gate
    here, there, elsewhere = origin_of("192.0.2.1"), origin_of("198.51.100.1"), origin_of("203.0.113.1")
    slow, busy = Mail(gate, here, 60), Mail(gate, there, 40, seen=40)
    assert not gate.has_room(elsewhere, 10), "nobody is slow yet"
    with pytest.raises(OutOfRoom):
        gate.take(elsewhere, 10)
    house.time += 1
    assert gate.has_room(elsewhere, 10)
    gate.take(elsewhere, 10)
    assert (slow.gone, busy.gone) == (True, False)
    gate.take(here, 50)
    assert not busy.gone


def test_the_room_of_a_network_is_taken_back_from_that_network() -> None:
    house = House()
    gate = house.gate
    here, there = origin_of("192.0.2.1"), origin_of("198.51.100.1")
    ours, theirs = Mail(gate, here, 60), Mail(gate, there, 40)
    house.time += 1
    gate.take(there, 21)
    assert (ours.gone, theirs.gone) == (False, True)


def test_nobody_gives_way_for_what_would_not_fit_all_the_same() -> None:
    house = House()
    gate = house.gate
    slow = Mail(gate, origin_of("192.0.2.1"), 60)
    house.time += 1
    with pytest.raises(OutOfRoom):
        gate.take(origin_of("192.0.2.2"), 61)
    assert not slow.gone
