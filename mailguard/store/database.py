"""What the store needs of a database: one connection, all or nothing, and rows in bulk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

from mailguard.errors import Sentence

if TYPE_CHECKING:
    from sqlalchemy import Connection

Values = Sequence[object]


class Database(Protocol):
    """One connection, for one thread at a time. Statements are written with ``?``.

    Everything may raise the driver's own errors, which are all subclasses of ``trouble``.
    """

    place: str
    """Where it is, for people; without a password."""

    trouble: tuple[type[Exception], ...]

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing, and durable at the end; one writer at a time, across processes."""

    def migrating(self) -> AbstractContextManager[Connection]:
        """A connection of its own for Alembic, inside a transaction that keeps other writers out."""

    def run(self, sql: str, values: Values = ()) -> int:
        """Run a statement; how many rows it changed."""

    def rows(self, sql: str, values: Values = ()) -> list[tuple[Any, ...]]:
        """The rows of a query."""

    def tables(self) -> frozenset[str]:
        """The names of all tables."""

    def damage(self) -> Iterator[Sentence]:
        """What the database itself finds wrong with its files and references."""

    def stream(self, sql: str, values: Values = ()) -> Iterator[tuple[Any, ...]]:
        """The rows of a query that may be too many to hold."""

    def insert(self, table: str, rows: Iterable[Values]) -> None:
        """Insert rows as ``statements.COLUMNS`` orders them; taken one by one, never held together."""

    def close(self) -> None:
        """Close the connection; what was not committed is gone."""
