"""What would be stored, without storing it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from mailguard.errors import OperationError
from mailguard.store import Filed, Outcome, Store, Stored, filing, open_store
from mailguard.store.migrate import check_schema, schema_of
from mailguard.store.store import connect


class Preview:
    """A ``Keeper`` that asks the database what it would do, and takes it back each time.

    What was asked before is remembered in a database of its own, so a report that comes twice in one run is told as a
    duplicate. ``open_real`` gives None where there is no database yet.
    """

    def __init__(self, open_real: Callable[[], Store | None]) -> None:
        self._folder = TemporaryDirectory(prefix="mailguard-")
        self._mine = open_store(Path(self._folder.name) / "preview.db")
        self._real = open_real()

    def add(self, batch: Sequence[Filed]) -> tuple[Stored, ...]:
        """What ``Store.add`` would say. Raises what it raises."""
        mine = self._mine.add(batch)
        if self._real is None:
            return mine
        return tuple(map(_first_known, _add_and_take_back(self._real, batch), mine))

    def close(self) -> None:
        """Forget everything."""
        if self._real is not None:
            self._real.close()
        self._mine.close()
        self._folder.cleanup()


def open_existing(place: str) -> Store | None:
    """The store at ``place``, or None where there is none; nothing is made. Raises as ``open_store`` does."""
    if "://" not in place and not Path(place).exists():
        return None
    store = Store(connect(place))
    try:
        if schema_of(store.database):
            check_schema(store.database)
            return store
    except BaseException:
        store.close()
        raise
    store.close()
    return None


class _TakenBack(Exception):
    """Thrown to end a transaction without its changes."""


def _add_and_take_back(store: Store, batch: Sequence[Filed]) -> tuple[Stored, ...]:
    stored: tuple[Stored, ...] = ()
    try:
        with store.database.transaction():
            stored = filing.add(store.database, batch)
            raise _TakenBack
    except _TakenBack:
        return stored
    except store.database.trouble as error:
        raise OperationError(
            "The database {place} could not be asked ({reason}).", place=store.place, reason=error
        ) from error


def _first_known(real: Stored, mine: Stored) -> Stored:
    return Stored(
        real.mail_id,
        real.new and mine.new,
        _each(real.outcomes, mine.outcomes),
        _each(real.tls_outcomes, mine.tls_outcomes),
    )


def _each(real: tuple[Outcome, ...], mine: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
    return tuple(one if one is not Outcome.STORED else other for one, other in zip(real, mine, strict=True))
