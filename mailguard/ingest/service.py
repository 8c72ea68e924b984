"""What all sessions of a listener share: whom mail is for, and the mails that are being kept."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from mailguard.feedback.envelope import ReceivedMail
from mailguard.ingest.gate import Gate
from mailguard.ingest.proxy import Proxies
from mailguard.ingest.settings import ListenerSettings
from mailguard.ingest.tls import Certificate
from mailguard.spool.errors import SpoolError

log = logging.getLogger(__name__)

Deliver = Callable[[ReceivedMail], Awaitable[object]]
"""Keeps a mail. Ends when it is safe on disk; raises when it is not, and the sender will try again (``451``, or ``452``
for SpoolFull)."""


@dataclass(slots=True, kw_only=True)
class Service:
    """One for each listener. ``deliveries`` are those under way; ``closing`` when we stop."""

    settings: ListenerSettings
    gate: Gate
    deliver: Deliver
    accepts: Callable[[str], str | None]
    has_room: Callable[[int], bool]
    certificate: Certificate | None
    proxies: Proxies
    now: Callable[[], float]
    closing: bool = False
    deliveries: set[asyncio.Future[object]] = field(default_factory=set)
    addresses: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.addresses = {address.lower(): address for address in self.settings.addresses}

    def recipient(self, address: str) -> str | None:
        """What one of our addresses is called; None when it is not one of ours."""
        return self.addresses.get(address.lower()) or self.accepts(address)

    def begin_delivery(self, mail: ReceivedMail) -> asyncio.Future[object]:
        """Hand a mail over. What has begun goes on, whoever stops waiting for it."""
        delivery = asyncio.ensure_future(self.deliver(mail))
        self.deliveries.add(delivery)
        delivery.add_done_callback(self._delivered)
        return delivery

    def _delivered(self, delivery: asyncio.Future[object]) -> None:
        self.deliveries.discard(delivery)
        error = None if delivery.cancelled() else delivery.exception()
        if isinstance(error, SpoolError):
            log.error("a mail could not be kept; its sender was asked to come back: %s", error)
        elif error:
            log.error("a mail could not be kept; its sender was asked to come back", exc_info=error)
