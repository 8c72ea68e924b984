"""Where to listen, for whom, and how much a stranger may cost."""

from __future__ import annotations

from dataclasses import dataclass

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ListenerSettings:
    """What one listener does and bears.

    ``port`` 0 lets the system choose. ``addresses`` are the exact recipients, compared without regard to case.
    ``hostname`` is what we call ourselves. ``proxies`` are the addresses and networks that speak the PROXY protocol.

    Bounds: ``mail_bytes`` per mail; ``recipients`` per mail; ``mails`` per session; ``commands`` of one kind and
    ``errors`` in a session; ``connections`` at one time in all, from one address and from one /24 or /64;
    ``connections_per_minute`` from one /24 or /64; ``bytes_in_flight`` of mail that is being received and kept at one
    time, in all and from one network (a mail whose size was declared counts as a whole from the start).

    Deadlines in seconds: ``idle_s`` for the next command, ``handshake_s`` for TLS and for a PROXY header, ``data_s``
    for one mail's data, ``deliver_s`` for keeping it, ``session_s`` for everything, ``drain_s`` for mails under way
    when we stop. In the DATA phase each ``pace_s`` seconds must bring ``bytes_per_s`` on average.
    """

    addresses: tuple[str, ...]
    host: str = "127.0.0.1"
    port: int = 0
    hostname: str = "localhost"
    proxies: tuple[str, ...] = ()
    mail_bytes: int = 15 * _MIB
    recipients: int = 10
    mails: int = 20
    commands: int = 50
    errors: int = 10
    connections: int = 1000
    connections_per_address: int = 20
    connections_per_network: int = 50
    connections_per_minute: int = 300
    bytes_in_flight: int = 64 * _MIB
    bytes_in_flight_per_network: int = 32 * _MIB
    idle_s: float = 60.0
    handshake_s: float = 10.0
    data_s: float = 300.0
    deliver_s: float = 120.0
    session_s: float = 900.0
    drain_s: float = 8.0
    pace_s: float = 10.0
    bytes_per_s: int = 500
