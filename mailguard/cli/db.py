"""``mailguard db``: looking after the database."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from mailguard.cli.exits import FINDINGS
from mailguard.cli.options import lang_option
from mailguard.cli.speaking import SpokenCommand, SpokenGroup, say
from mailguard.errors import OperationError, Sentence, UsageError

if TYPE_CHECKING:
    from mailguard.store.sqlite import SqliteDatabase

DEFAULT_DATABASE: Final = "mailguard.db"
_DAY_S: Final = 86_400
_KINDS: Final = ("raw", "records", "unverified", "sums", "tls", "failures", "mailbox", "audits")

F = TypeVar("F", bound=Callable[..., Any])


def database_option(command: F) -> F:
    """``--database`` and ``--config``, given to the command as ``place``, and ``--lang``."""

    @click.option("--database", metavar="URL|PATH", help="The database; without it, mailguard.db in this folder.")
    @click.option("--config", metavar="FILE", help="Take the database from this settings file.")
    @lang_option
    @wraps(command)
    def wrapped(*args: Any, database: str | None, config: str | None, **kwargs: Any) -> Any:
        return command(*args, place=database_place(database, config), **kwargs)

    return wrapped  # type: ignore[return-value]


def database_place(database: str | None, config: str | None) -> str:
    """The database of ``--database``, of the settings file, or the one in this folder. Raises UsageError."""
    from mailguard.store.place import check_place

    place = database or DEFAULT_DATABASE
    if config and not database:
        from mailguard.settings import load_settings

        place = load_settings(config).database.place()
    check_place(place)
    return place


@click.group(cls=SpokenGroup)
def db() -> None:
    """Look after the database: upgrade, check, back up, restore, and delete what is old."""


@db.command(cls=SpokenCommand)
@database_option
def upgrade(place: str) -> None:
    """Bring the database to the schema of this version."""
    from mailguard.store.migrate import upgrade as bring
    from mailguard.store.store import connect

    database = connect(place)
    try:
        step = bring(database)
    except database.trouble as error:
        raise OperationError(
            "The database {place} could not be upgraded ({reason}); nothing was changed.",
            place=database.place,
            reason=database.why(error),
        ) from error
    finally:
        database.close()
    click.echo(say("{place} has the schema of this version ({step}).").format(place=database.place, step=step))


@db.command(cls=SpokenCommand)
@database_option
@click.pass_context
def check(ctx: click.Context, place: str) -> None:
    """Check that the database is sound and that every sum agrees with its records.

    Reads everything. Exit codes: 0 sound, 1 something is wrong, 2 wrong use, 4 our own failure.
    """
    from mailguard.store import open_reader

    with open_reader(place) as store:
        wrong = store.check()
        for fault in wrong:
            click.echo(fault.told(say))
        if wrong:
            ctx.exit(FINDINGS)
        click.echo(say("{place} is sound.").format(place=store.place))


@db.command(cls=SpokenCommand)
@click.argument("file", metavar="FILE", type=click.Path(readable=False, path_type=Path))
@database_option
def backup(file: Path, place: str) -> None:
    """Copy the database to FILE, also while it is in use."""
    from mailguard.store import open_reader
    from mailguard.store.sqlite import copy

    with open_reader(place) as store:
        copy(_sqlite(store.database), file)
    click.echo(say("{place} was copied to {file}.").format(place=place, file=file))


@db.command(cls=SpokenCommand)
@click.argument("file", metavar="FILE", type=click.Path(readable=False, path_type=Path))
@database_option
def restore(file: Path, place: str) -> None:
    """Make the database from FILE, a copy that `mailguard db backup` made.

    The copy is checked first. A database that is there already is never written over; move it away before.
    """
    from mailguard.store.migrate import schema_of
    from mailguard.store.place import db_command
    from mailguard.store.sqlite import connect_for_reading, copy

    if "://" in place:
        _sqlite(None)
    source = connect_for_reading(file)
    try:
        if not schema_of(source):
            raise OperationError("The copy {file} cannot be used: {fault}", file=file, fault=Sentence("it is empty"))
        for fault in source.damage():
            raise OperationError("The copy {file} cannot be used: {fault}", file=file, fault=fault)
        copy(source, Path(place))
    except source.trouble as error:
        raise OperationError("The copy {file} cannot be used: {fault}", file=file, fault=source.why(error)) from error
    finally:
        source.close()
    told = say("{place} was made from {file}; run: {command}")
    click.echo(told.format(place=place, file=file, command=db_command("upgrade", place)))


@db.command(cls=SpokenCommand)
@click.argument("kind", type=click.Choice(_KINDS))
@click.option("--days", type=click.IntRange(1), required=True, help="Delete what is older than so many days.")
@database_option
def prune(kind: str, days: int, place: str) -> None:
    """Delete old data of one kind.

    raw: the mails as they came. records: the records of reports; daily sums stay. sums: daily sums and records.
    unverified: reports whose sender is not proved, with their sums. tls, failures: those reports. mailbox: which mails
    of a mailbox were looked at; they are looked at again. audits: audits kept for comparison. Apart from unverified
    ones, a report that was counted once is not counted again when it comes again.
    """
    from mailguard.store import open_store
    from mailguard.store.upkeep import Kind

    with open_store(place, create=False) as store:
        gone = store.prune(Kind(kind), int(time.time()) - days * _DAY_S)
    click.echo(say("Deleted rows: {count}").format(count=f"{gone:,}"))


def _sqlite(database: object) -> SqliteDatabase:
    from mailguard.store.sqlite import SqliteDatabase

    if not isinstance(database, SqliteDatabase):
        raise UsageError("A database in PostgreSQL is backed up with pg_dump and restored with pg_restore.")
    return database
