"""Once a day: what has been kept for its time goes."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final, cast

from mailguard.errors import MailguardError
from mailguard.settings.values import RetentionSettings
from mailguard.store import Store
from mailguard.store.upkeep import Kind, may_prune, prune
from mailguard.worker.filer import Filer, Keeper

log = logging.getLogger(__name__)

_DAY_S: Final = 86_400
_EVERY_S: Final = float(_DAY_S)
_FIRST_AFTER_S: Final = 300.0


class Age:
    """Whether the clock is believed when it makes things old. Not until it was looked at."""

    def __init__(self) -> None:
        self.believed = False
        self._said = False

    def look(self, store: Keeper, now: float) -> None:
        """Compare the clock with what it said the day before; that it is not believed is said once."""
        self.believed = may_prune(cast(Store, store).database, int(now))
        if not self.believed and not self._said:
            log.error(
                "the clock is days ahead of when it was looked at last; if mailguard was not stopped so long, put it "
                "right. Nothing is deleted for its age within a week"
            )
        self._said = not self.believed


async def keep_pruning(
    filer: Filer,
    retention: RetentionSettings,
    *,
    first_after_s: float = _FIRST_AFTER_S,
    now: Callable[[], float] = time.time,
    age: Age | None = None,
) -> None:
    """Five minutes after the start and then daily, for ever. A database that is away is asked again the next day.

    Nothing goes while the clock is not believed (``store.upkeep.may_prune``).
    """
    age = age or Age()
    await asyncio.sleep(first_after_s)
    while True:
        moment = now()
        try:
            await filer.do(lambda store, moment=moment: age.look(store, moment))  # type: ignore[misc]
        except MailguardError as error:
            log.error("what is old could not be looked for: %s", error)
        else:
            if age.believed:
                await prune_once(filer, retention, moment)
        await asyncio.sleep(_EVERY_S)


async def prune_once(filer: Filer, retention: RetentionSettings, now: float) -> None:
    """Delete what is older than its days at ``now`` (POSIX seconds). What cannot be deleted is told, and stays."""
    for kind, days in due(retention):
        try:
            await filer.do(_job(kind, int(now) - days * _DAY_S))
        except MailguardError as error:
            log.error("what is older than %d days could not be deleted (%s): %s", days, kind, error)


def due(retention: RetentionSettings) -> list[tuple[Kind, int]]:
    """The kinds of data that have an end, with their days."""
    days = {kind: int(getattr(retention, f"{kind}_days")) for kind in Kind}
    return [(kind, count) for kind, count in days.items() if count]


def _job(kind: Kind, before: int) -> Callable[[Keeper], int]:
    def job(store: Keeper) -> int:
        gone = prune(cast(Store, store).database, kind, before)
        if gone:
            log.warning("deleted because its time was over (%s): %d", kind, gone)
        return gone

    return job
