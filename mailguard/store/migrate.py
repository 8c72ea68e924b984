"""Bringing a database up to the schema of this version, or back, with Alembic.

A run is one transaction, so one that is interrupted leaves nothing half done. Two processes that begin at once take
turns, and the second finds everything done. Alembic and SQLAlchemy take nearly half a second to import, so the daily
question (``check_schema``) is put to the driver.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mailguard.errors import OperationError
from mailguard.store.database import Database
from mailguard.store.place import db_command

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection

HEAD: Final = "0004"
"""The step that makes the schema of this version (a test holds it against the files)."""


def schema_of(database: Database) -> str:
    """The last step that the database has seen; empty for a database without any tables of ours.

    Raises OperationError for one that was made before there were steps.
    """
    tables = database.tables()
    if "alembic_version" not in tables:
        if "schema_migration" in tables:
            raise OperationError(
                "The database {place} was made by a preview of mailguard and cannot be used; move it out of the way.",
                place=database.place,
            )
        return ""
    found = database.rows("SELECT version_num FROM alembic_version")
    return str(found[0][0]) if found else ""


def check_schema(database: Database) -> None:
    """Raise OperationError unless the database has the schema of this version."""
    found = schema_of(database)
    if found == HEAD:
        return
    if not found:
        raise OperationError("The database {place} is empty; nothing has been received yet.", place=database.place)
    if found > HEAD:
        raise OperationError(
            "The database {place} was changed by a later version of mailguard; use that version.", place=database.place
        )
    raise OperationError(
        "The database {place} was made by an earlier version of mailguard; run: {command}",
        place=database.place,
        command=db_command("upgrade", database.place),
    )


def upgrade(database: Database, to: str = "head") -> str:
    """Bring the database to a later step; the step it stands at then.

    Raises OperationError for a database that was made by a later version, and the driver's errors.
    """
    if schema_of(database) > HEAD:
        check_schema(database)
    _carry_out("upgrade", database, to)
    return schema_of(database)


def downgrade(database: Database, to: str = "base") -> str:
    """Bring the database back to an earlier step. What that step has no place for is lost."""
    _carry_out("downgrade", database, to)
    return schema_of(database)


def _carry_out(step: str, database: Database, to: str) -> None:
    """One run. SQLAlchemy wraps the driver's errors, which callers know as ``database.trouble``: they are unwrapped."""
    from alembic import command
    from sqlalchemy.exc import DBAPIError

    try:
        with database.migrating() as connection:
            getattr(command, step)(configuration(connection), to)
    except DBAPIError as error:
        raise error.orig or error from error


def configuration(connection: Connection | None = None) -> Config:
    """Alembic's configuration: our folder of steps, and the connection to run them on."""
    from importlib.resources import files

    from alembic.config import Config

    found = Config(attributes={"connection": connection})
    found.set_main_option("script_location", str(files(__package__) / "migrations").replace("%", "%%"))
    found.set_main_option("path_separator", "os")
    return found
