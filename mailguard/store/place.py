"""Where a database is: what may be written for it, and how that is shown. A password is never shown, even misplaced."""

from __future__ import annotations

import re
import shlex
from typing import Final

from mailguard.errors import UsageError

_POSTGRESQL: Final = ("postgresql://", "postgres://")
_HOST: Final = r"(?:\[[0-9A-Fa-f:.%]+\]|[^\[\]:,/?#@]*)(?::\d{0,5})?"
# What stands behind a / or ? that nobody wrote as %2F or %3F could be the rest of a password, so an @ is taken in one
# place only, and a port has digits.
_URL: Final = re.compile(rf"postgres(?:ql)?://(?:[^/?#@]*@)?{_HOST}(?:,{_HOST})*(?:/[^?#@]*)?(?:\?[^#@]*)?")
_NO_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})|%00")
_KEYWORDS: Final = re.compile(r"\b(?:password|passfile|sslpassword)\s*=", re.IGNORECASE)


def is_postgresql(place: str) -> bool:
    """Whether this is the URL of a database on a server."""
    return place.startswith(_POSTGRESQL)


def check_place(place: str) -> None:
    """Raise UsageError unless this can be a path or the URL of a PostgreSQL database. Touches nothing."""
    if is_postgresql(place):
        if not _URL.fullmatch(place) or _NO_ESCAPE.search(place):
            raise UsageError(
                "The address of the database cannot be understood; write postgresql://USER@HOST/NAME, and a special "
                "character of a password as % with two digits (/ is %2F)."
            )
    elif ("://" in place and not place.startswith("sqlite:///")) or _KEYWORDS.search(place) or "\0" in place:
        raise UsageError("A database is a file or postgresql://..., nothing else; check the address.")


def db_command(step: str, place: str) -> str:
    """``mailguard db`` with this step for this database, to be pasted into a shell."""
    return shlex.join(["mailguard", "db", step, "--database", place])


def hide_password(url: str) -> str:
    """The address of a PostgreSQL database as it may be shown; it has passed ``check_place``."""
    scheme, _, rest = url.partition("://")
    # Parameters may hold a password too. A password may hold brackets, which ``urlsplit`` would take for an address.
    place = rest.partition("?")[0]
    userinfo, at, where = place.rpartition("@")
    return f"{scheme}://{userinfo.partition(':')[0]}{at}{where}" if userinfo else f"{scheme}://{where}"
