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

    octets: str
    """SQL for the bytes that a text takes; ``{}`` stands for the column."""

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing, and durable at the end; one writer at a time, across processes."""

    def erasing(self) -> AbstractContextManager[None]:
        """A transaction whose deleted bytes are overwritten, as far as the database can do that by itself."""

    def snapshot(self) -> AbstractContextManager[None]:
        """Everything that is asked inside is as of one moment, whoever writes meanwhile."""

    def scrub(self) -> None:
        """Give the place of all that was deleted back to the system: nothing of it is left in the database's files.

        Not inside a transaction. Takes about as long, and as much room on the disk, as copying everything; nobody else
        can write meanwhile. Raises one of ``trouble``, or OperationError where somebody else holds on to old pages.
        """

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

    def why(self, error: Exception) -> str:
        """What one of ``trouble`` means, in words that can be told (often a Sentence)."""

    def close(self) -> None:
        """Close the connection; what was not committed is gone."""
