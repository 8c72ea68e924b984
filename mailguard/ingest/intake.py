"""The data of one mail as they come from the socket: counted, bounded, and fast enough."""

from __future__ import annotations

import asyncio

from mailguard.ingest.dot_stuffing import DataReader, TooMuchData
from mailguard.ingest.gate import Gate, Origin, OutOfRoom
from mailguard.ingest.settings import ListenerSettings


class Intake:
    """``feed`` it what the socket brings, and wait until the mail has ``ended``.

    Bounds: ``mail_bytes`` as in DataReader; the gate's for bytes held; ``data_s`` for the whole, and ``bytes_per_s`` on
    average in each ``pace_s``.
    """

    def __init__(self, settings: ListenerSettings, gate: Gate, origin: Origin) -> None:
        self._settings = settings
        self._gate = gate
        self.origin = origin
        self._held = 0  # bytes that the gate has counted
        self._reader = DataReader(settings.mail_bytes)
        self._seen = 0  # when the pace was looked at last
        self._loop = asyncio.get_running_loop()
        self._end: asyncio.Future[None] = self._loop.create_future()
        gate.begin(self)

    @property
    def is_whole(self) -> bool:
        """Whether the mail has come to its end."""
        return self._end.done() and not self._end.cancelled() and self._end.exception() is None

    @property
    def held(self) -> int:
        """Bytes that the gate has counted."""
        return self._held

    @property
    def seen(self) -> int:
        """Bytes that have come."""
        return self._reader.seen

    @property
    def too_big(self) -> bool:
        """Whether it is longer than allowed, and so was not kept."""
        return self._reader.too_big

    @property
    def rest(self) -> bytes:
        """What came after the end of the mail."""
        return self._reader.rest

    def take(self) -> bytes:
        """The mail, once."""
        return self._reader.take()

    def reserve(self, size: int) -> bool:
        """Have so many bytes counted before they come; false when there is no room for them."""
        try:
            self._hold(size)
        except OutOfRoom:
            return False
        return True

    def feed(self, block: bytes) -> None:
        """Take a block. Never raises: what it leads to, ``ended`` tells."""
        if self._end.done():
            return
        try:
            whole = self._reader.feed(block)
            if self._reader.too_big:
                self._release()  # nothing of it is kept
            else:
                self._hold(self._reader.seen)
        except (TooMuchData, OutOfRoom) as error:
            self._end.set_exception(error)
        else:
            if whole:
                self._gate.end(self)  # from here on it takes as long as it takes us
                self._end.set_result(None)

    def give_way(self) -> None:
        """Others need the room, and this mail does not fill it."""
        if self._end.done():
            return
        self._gate.end(self)
        self._end.set_exception(OutOfRoom())
        self._reader.drop()
        self._release()

    async def ended(self) -> None:
        """Return when the mail is whole. Raises TimeoutError, TooMuchData, OutOfRoom."""
        self._watch()
        try:
            async with asyncio.timeout(self._settings.data_s):
                await self._end
        finally:
            self._pace.cancel()

    def close(self) -> None:
        """The mail is no longer in memory."""
        self._gate.end(self)
        if not self._end.cancel() and not self._end.cancelled():
            self._end.exception()  # nobody waits for it any more
        self._reader.drop()  # now, since an exception's traceback would keep it for a while
        self._release()

    def _watch(self) -> None:
        self._pace = self._loop.call_later(self._settings.pace_s, self._look)

    def _look(self) -> None:
        if self._end.done():
            return
        if self._reader.seen - self._seen < self._settings.bytes_per_s * self._settings.pace_s:
            self._end.set_exception(TimeoutError())
        self._seen = self._reader.seen
        self._watch()

    def _hold(self, size: int) -> None:
        if size > self._held:
            self._gate.take(self.origin, size - self._held, self)
            self._held = size

    def _release(self) -> None:
        if self._held:
            self._gate.give_back(self.origin, self._held)
            self._held = 0
