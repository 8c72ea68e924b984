"""What would be stored, without storing it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from mailguard.errors import OperationError
from mailguard.store import Filed, Outcome, Store, Stored, filing, open_store
from mailguard.store.migrate import check_schema, schema_of
from mailguard.store.place import check_place, is_postgresql
from mailguard.store.sqlite import SqliteDatabase, connect_for_looking, copy
from mailguard.store.store import connect


class Preview:
    """A ``Keeper`` that asks the database what it would do, and takes it back each time.

    What was asked before is remembered in a database of its own, so a report that comes twice in one run is told as a
    duplicate. ``open_real`` is given a folder that is removed at the end, and gives None where there is no database.
    """

    def __init__(self, open_real: Callable[[Path], Store | None]) -> None:
        self._folder = TemporaryDirectory(prefix="mailguard-")
        try:
            folder = Path(self._folder.name)
            self._real = open_real(folder)
            self._mine = open_store(folder / "preview.db")
        except BaseException:
            self._folder.cleanup()
            raise

    def add(self, batch: Sequence[Filed]) -> tuple[Stored, ...]:
        """What ``Store.add`` would say. Raises what it raises."""
        mine = self._mine.add(batch)
        if self._real is None:
            return mine
        return tuple(map(_first_known, _add_and_take_back(self._real, batch), mine))

    def known_names(self) -> list[tuple[str, str]]:
        """Who has reported before, as ``Store.known_names`` says."""
        return self._real.known_names() if self._real is not None else []

    def close(self) -> None:
        """Forget everything."""
        if self._real is not None:
            self._real.close()
        self._mine.close()
        self._folder.cleanup()


def open_existing(place: str, folder: Path) -> Store | None:
    """What is stored at ``place``, or None where there is nothing. Raises as ``open_store`` does.

    Of a SQLite database a copy in ``folder``: to open one for writing, and even for reading where others write, makes
    files beside it and may change its journal. So a trial needs as much free space as the database has.
    """
    check_place(place)
    path = Path(place.removeprefix("sqlite:///"))
    if not is_postgresql(place) and not path.exists():
        return None
    with closing(connect(place, write=False) if is_postgresql(place) else connect_for_looking(path)) as source:
        if not schema_of(source):
            return None
        check_schema(source)
        if not isinstance(source, SqliteDatabase):
            return Store(connect(place))
        copy(source, folder / "copy.db")
    return Store(connect(folder / "copy.db"))


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
            "The database {place} could not be asked ({reason}).", place=store.place, reason=store.database.why(error)
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
