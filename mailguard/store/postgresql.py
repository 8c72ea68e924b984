"""The store in PostgreSQL, through psycopg 3."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from mailguard.errors import OperationError, Sentence
from mailguard.store.database import Values
from mailguard.store.place import hide_password
from mailguard.store.statements import COLUMNS, ROLLUPS, insert

if TYPE_CHECKING:
    import psycopg
    from sqlalchemy import Connection

_WRITING: Final = 0x6D_61_69_6C  # "mail"
"""The advisory lock of whoever writes."""

_FEW: Final = 20
"""Up to so many rows an INSERT in a pipeline is quicker than a COPY, which costs a round trip of its own."""

_PATIENCE_S: Final = 10

_OURS: Final = frozenset({*COLUMNS, *(rollup.table for rollup in ROLLUPS), "audit"})
"""Tables with data; others may lie beside them."""

# A way that went dead without a word is noticed within a minute; the system alone would take a quarter of an hour, or
# for ever where it waits for an answer. The address may say otherwise.
_NOTICE: Final = {
    "keepalives_idle": "20",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "50000",
}

# Writers take turns. Who stands still in the middle of one loses it, and who waits for long says so.
_TURNS: Final = "SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '60s'"


class PostgresDatabase:
    """A ``Database`` on a server.

    Writers take turns (an advisory lock for the length of a transaction), as they do in SQLite. So two daemons that
    are given the same report at once cannot both find that nobody has it, roll-ups never deadlock, and ids can be
    counted up by ourselves. With many mails to a transaction the turns cost little.
    """

    octets = "OCTET_LENGTH({})"

    def __init__(self, connection: psycopg.Connection[tuple[Any, ...]], url: str) -> None:
        import psycopg

        self.connection = connection
        self.place = hide_password(url)
        self._url = url
        self.trouble: tuple[type[Exception], ...] = (psycopg.Error,)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self.connection.transaction():
            self.connection.execute("SELECT pg_advisory_xact_lock(%s)", (_WRITING,))
            yield

    def erasing(self) -> AbstractContextManager[None]:
        return self.transaction()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        with self.connection.transaction():
            self.connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            yield

    def scrub(self) -> None:
        # Tables are written anew without dead rows. The server's own log, replicas and backups are not ours to touch.
        for table in sorted(self.tables() & _OURS):
            self.connection.execute(f"VACUUM (FULL) {table}".encode("ascii"))

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        import psycopg
        from sqlalchemy import create_engine
        from sqlalchemy.pool import NullPool

        engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(self._url), poolclass=NullPool)
        with engine.begin() as connection:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITING})")
            yield connection

    def run(self, sql: str, values: Values = ()) -> int:
        return self.connection.execute(_own(sql), values).rowcount

    def rows(self, sql: str, values: Values = ()) -> list[tuple[Any, ...]]:
        return self.connection.execute(_own(sql), values).fetchall()

    def tables(self) -> frozenset[str]:
        found = self.connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        return frozenset(row[0] for row in found)

    def damage(self) -> Iterator[Sentence]:
        # The server keeps its references itself, and its files are its administrator's (pg_amcheck, checksums).
        yield from ()

    def stream(self, sql: str, values: Values = ()) -> Iterator[tuple[Any, ...]]:
        with self.connection.transaction(), self.connection.cursor(name="stream") as cursor:
            cursor.execute(_own(sql), values)
            yield from cursor

    def insert(self, table: str, rows: Iterable[Values]) -> None:
        waiting = iter(rows)
        few = list(islice(waiting, _FEW))
        with self.connection.cursor() as cursor:
            if few:
                cursor.executemany(_own(insert(table)), few)
            if len(few) < _FEW:
                return
            with cursor.copy(_copy(table)) as copy:
                for row in waiting:
                    copy.write_row(row)

    def why(self, error: Exception) -> str:
        return _why(error)

    def close(self) -> None:
        self.connection.close()


@lru_cache(maxsize=512)
def _own(sql: str) -> bytes:
    """The statement as psycopg wants it; ours hold no question mark or per cent sign but as a parameter."""
    assert "%" not in sql
    return sql.replace("?", "%s").encode("ascii")


@lru_cache
def _copy(table: str) -> bytes:
    return f"COPY {table} ({', '.join(COLUMNS[table])}) FROM STDIN".encode("ascii")


def connect(url: str, *, write: bool = True) -> PostgresDatabase:
    """Connect to the server. Raises OperationError when the server will not have us."""
    import psycopg

    try:
        said = psycopg.conninfo.conninfo_to_dict(url)
        where = psycopg.conninfo.make_conninfo(url, **{key: _NOTICE[key] for key in _NOTICE if key not in said})
        connection = psycopg.connect(where, autocommit=True, connect_timeout=_PATIENCE_S)
        connection.execute(_TURNS if write else "SET default_transaction_read_only = on")
    except psycopg.Error as error:
        raise OperationError(
            "The database {place} cannot be reached ({reason}); check that the server runs and the address is right.",
            place=hide_password(url),
            reason=_why(error),
        ) from error
    return PostgresDatabase(connection, url)


_REFUSALS: Final = {
    "connection refused": Sentence("no server answers there"),
    "timeout expired": Sentence("the server does not answer"),
    "password authentication failed": Sentence("the server does not accept user and password"),
    "no password supplied": Sentence("the server wants a password"),
    "could not translate host name": Sentence("the name of the server is not known"),
    "failed to resolve host": Sentence("the name of the server is not known"),
    "lock timeout": Sentence("another program is writing to it"),
    "too many clients": Sentence("the server has too many connections"),
    "starting up": Sentence("the server is just starting"),
    "shutting down": Sentence("the server is just stopping"),
}


def _why(error: Exception) -> str:
    """What libpq says, in words that can be told; its own words, which never hold a password, for anything else."""
    text = " ".join(str(error).split())
    return next((told for words, told in _REFUSALS.items() if words in text.lower()), text[:300])
