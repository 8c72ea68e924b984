"""How much of the disk may be taken by what nobody asked for: mails in quarantine, stored mails without a report, and
reports that nothing proves, with their mails.

Anybody can send any of them. Without a bound a stranger could fill the disk until no mail is taken from anybody. What
goes first is what came from senders who are not proved, the oldest of it first; a report that is verified or
authenticated never goes, and neither does its mail. Bounds are met by freeing a tenth more than is needed, so that
looking for what may go is rare.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from typing import Final, cast

from mailguard.errors import MailguardError
from mailguard.feedback.envelope import ReceivedMail
from mailguard.settings.values import RetentionSettings
from mailguard.spool import Quarantined, Reason, Shelf
from mailguard.store import Store
from mailguard.store.upkeep_bounds import Held, Holding, held_since, make_room
from mailguard.worker.filer import Filer, Keeper
from mailguard.worker.telling import Trouble

log = logging.getLogger(__name__)

_DAY_S: Final = 86_400.0
_MIB: Final = 1024**2
_LOOK_EVERY_S: Final = 60.0
_FILES_OF_ONE: Final = 8 * 1024
"""What a mail in quarantine takes beside its bytes: the note with its reason, and two files' last blocks."""


class LetGo:
    """Says how much was let go, at most once a day: at the first time, and from then on what the day came to."""

    def __init__(self, what: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._clock = clock
        self._mails = self._size = 0
        self._said_at: float | None = None

    def add(self, mails: int, size: int) -> None:
        """So much was let go just now."""
        self._mails += mails
        self._size += size
        now = self._clock()
        if self._mails and (self._said_at is None or now - self._said_at >= _DAY_S):
            mib = self._size / _MIB
            log.warning("let go for want of room (%s): %d mails, %.1f MiB", self._what, self._mails, mib)
            self._mails = self._size = 0
            self._said_at = now


class BoundedQuarantine:
    """Keeps mails apart as ``Shelf.quarantine`` does, within ``most_bytes``; 0 is without bound.

    Counted anew when it seems too much, so what is taken out meanwhile counts until then.
    """

    def __init__(self, shelf: Shelf, most_bytes: int, let_go: LetGo | None = None) -> None:
        self._shelf = shelf
        self._most = most_bytes
        self._let_go = let_go or LetGo("quarantine")
        self._held: int | None = None
        self._one = threading.Lock()  # mails come from several threads

    def keep(self, mail: ReceivedMail, reason: Reason, proved: str = "") -> str:
        """Keep one mail apart; its id. Durable on return. May raise SpoolError."""
        id = self._shelf.quarantine(mail, reason, proved)
        with self._one:
            if self._held is not None:
                self._held += len(mail.raw) + _FILES_OF_ONE
            if self._most and (self._held is None or self._held > self._most):
                self._make_room(id)
        return id

    def _make_room(self, last: str) -> None:
        lying = sorted((one for one in self._shelf.list_quarantine() if one.id != last), key=_value)
        self._held = sum(map(_size_of, lying))
        if self._held <= self._most:
            return
        mails = size = 0
        for entry in lying:
            if self._held <= self._most * 9 // 10:
                break
            self._shelf.discard(entry.id)
            self._held -= _size_of(entry)
            mails, size = mails + 1, size + entry.size
        self._let_go.add(mails, size)


def _size_of(entry: Quarantined) -> int:
    return entry.size + _FILES_OF_ONE


_OUR_FAULT: Final = frozenset({"failed-in-us", "refused-by-database", "damaged-file", "note-unreadable"})


def _value(entry: Quarantined) -> tuple[bool, bool, int, str]:
    """What goes first: senders that are not proved, then the proved, then what may be whole and lies there by our own
    fault; of each the oldest."""
    return entry.whole_file or entry.reason.id in _OUR_FAULT, bool(entry.proved), entry.at, entry.id


_CALLED: Final = {
    Holding.REPORTLESS: "mails without a report",
    Holding.UNVERIFIED_RAW: "raw mails of unverified reports",
    Holding.UNVERIFIED: "unverified reports",
}


def bounds(retention: RetentionSettings) -> list[tuple[Holding, int]]:
    """How many bytes each holding may take; 0 is without bound."""
    return [(holding, getattr(retention, f"{holding}_mib") * _MIB) for holding in Holding]


async def keep_within(
    filer: Filer, holding: Holding, most_bytes: int, *, look_every_s: float = _LOOK_EVERY_S, let_go: LetGo | None = None
) -> None:
    """Look every minute how much the store has of this, for ever; 0 is without bound."""
    keeper = _BoundedHolding(holding, most_bytes, let_go or LetGo(_CALLED[holding]))
    trouble = Trouble()
    while most_bytes:
        await asyncio.sleep(look_every_s)
        try:
            await filer.do(keeper.look)
        except MailguardError as error:
            trouble.say(error)
        else:
            trouble.is_over()


class _BoundedHolding:
    def __init__(self, holding: Holding, most_bytes: int, let_go: LetGo) -> None:
        self._holding = holding
        self._most = most_bytes
        self._let_go = let_go
        self._held = Held(0, 0, 0)

    def look(self, store: Keeper) -> None:
        """Count what came since the last look; where that is too much, count all and let some go."""
        database = cast(Store, store).database
        new = held_since(database, self._holding, self._held.last)
        self._held = Held(new.last, self._held.mails + new.mails, self._held.size + new.size)
        gone = Held(0, 0, 0)
        if self._held.size > self._most:
            self._held = held_since(database, self._holding, 0)
            if self._held.size > self._most:
                gone = make_room(database, self._holding, self._held.size - self._most * 9 // 10)
                self._held = Held(self._held.last, self._held.mails - gone.mails, self._held.size - gone.size)
        self._let_go.add(gone.mails, gone.size)
