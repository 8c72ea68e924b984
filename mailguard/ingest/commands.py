"""The arguments of MAIL and RCPT (RFC 5321 4.1.2), as far as a receiver of reports needs them. Pure.

The library's own parser is one for header fields: it is hundreds of times slower, and lets through what SMTP does not
know.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

# A path in angle brackets; a quoted local part may hold what it likes. Without brackets is wrong and happens. Each
# alternative begins with another character, so the time is linear.
_PATH: Final = re.compile(
    r"""(?P<keyword>FROM|TO):[ ]*
        (?: <(?P<path> (?: "(?:[^"\\]|\\.)*" | [^"<>\s] )* )> | (?P<bare> [^<>\s"]+ ) )
        (?P<parameters> (?:[ ]+[^\s]+)* ) [ ]*""",
    re.VERBOSE | re.IGNORECASE,
)
_NAME: Final = re.compile(r"[!-~]{1,255}")


@dataclass(frozen=True, slots=True)
class PathArgument:
    """An address (empty for the null path) and the parameters after it, their names in capitals."""

    address: str
    parameters: Mapping[str, str]


def parse_path(keyword: str, argument: str | None) -> PathArgument | None:
    """What follows ``MAIL `` (keyword FROM) or ``RCPT `` (keyword TO); None when it cannot be understood."""
    match = _PATH.fullmatch(argument or "")
    if match is None or not match[0].isprintable() or match["keyword"].upper() != keyword:
        return None
    parameters = (parameter.partition("=") for parameter in match["parameters"].split())
    address = match["path"] if match["bare"] is None else match["bare"]
    return PathArgument(address, {name.upper(): value for name, _, value in parameters})


def is_client_name(argument: str | None) -> bool:
    """Whether this can follow HELO or EHLO: visible ASCII, at most 255 of it. Who claims to be what is not judged."""
    return bool(_NAME.fullmatch(argument or ""))
