"""The exceptions of mailguard.

::

    MailguardError
    +-- UsageError            what the user asked for cannot be done; exit code 2
    |   +-- DomainError       a text that is no domain name
    |   +-- PolicyError       a policies/*.toml file that does not say what it must
    |   +-- EvidenceError     an evidence file that cannot be read
    +-- OperationError        our own failure (disk, socket, a bug we caught); exit code 4
        +-- PlaceError        a database or copy that was named is not there or not to be used; typed, exit code 2

What a domain publishes, however broken, is never an exception: it is a result (``permerror``, a finding). What could
not be asked is no exception either: it is an ``Answer`` whose status says so. Every message is one sentence that
names what was wrong, where, and what to do about it.

An error is English (``str``) and can be told in another language: it keeps the template of its sentence, which is an
interface text like any other, and what the placeholders stand for.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Mapping
from typing import Final, Self


class Sentence(str):
    """An English text that remembers its template and fields: ``Sentence("{file} is empty.", file="a.csv")``.

    A field may be a Sentence itself. The template is never made from what strangers wrote; fields may be.
    """

    __slots__ = ("_fields", "_template")
    _template: str
    _fields: dict[str, object]

    def __new__(cls, template: str, /, **fields: object) -> Self:
        """Without fields, braces stand for themselves, and a Sentence stays what it is."""
        if isinstance(template, cls) and not fields:
            return template
        made = super().__new__(cls, template.format(**fields) if fields else template)
        made._template, made._fields = template, fields
        return made

    def told(self, say: Callable[[str], str]) -> str:
        """The same in the language that ``say`` translates templates to."""
        fields = {key: field.told(say) if isinstance(field, Sentence) else field for key, field in self._fields.items()}
        return say(self._template).format(**fields) if fields else say(self._template)


def toml_reason(error: ValueError | RecursionError) -> Sentence:
    """Where a text is no TOML, in words that can be told; the parser's own words are English and say little more."""
    found = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
    if found:
        return Sentence("look at line {line}, column {column}", line=found[1], column=found[2])
    if isinstance(error, RecursionError):
        return Sentence("there is too much inside of one another")
    return Sentence("it ends in the middle of something")


class MailguardError(Exception):
    """Any failure that mailguard itself raises."""

    def __init__(self, template: str, /, **fields: object) -> None:
        self.sentence: Final = Sentence(template, **fields)
        super().__init__(self.sentence)

    def told(self, say: Callable[[str], str]) -> str:
        """The message in the language that ``say`` translates templates to."""
        return self.sentence.told(say)


class UsageError(MailguardError):
    """The request cannot be carried out as it was made; trying again unchanged cannot help."""


class DomainError(UsageError):
    """A text that cannot be understood as a domain name."""


class PolicyError(UsageError):
    """A policy file with an unknown key, a wrong type or an impossible value."""


class EvidenceError(UsageError):
    """An evidence file that is not in our format, or is damaged."""


class OperationError(MailguardError):
    """Something on our side failed; trying again may help."""


class PlaceError(OperationError):
    """What was named is not there, or cannot be used so: wrong use by who typed it, but a daemon may try again."""


_OF_THE_PATH: Final = frozenset(
    {
        *(errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST),
        *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG, errno.ELOOP),
    }
)


def is_of_the_path(error: BaseException) -> bool:
    """Whether another path would help, or other rights; and not more room, or another disk."""
    return isinstance(error, OSError) and error.errno in _OF_THE_PATH


_SYSTEM: Final[Mapping[int, Sentence]] = {
    errno.ENOENT: Sentence("there is no such file or folder"),
    errno.ENOTDIR: Sentence("a part of the path is a file, not a folder"),
    errno.EISDIR: Sentence("it is a folder, not a file"),
    errno.EACCES: Sentence("this user may not use it"),
    errno.EPERM: Sentence("this user may not use it"),
    errno.EROFS: Sentence("the disk can only be read"),
    errno.ENOSPC: Sentence("the disk is full"),
    errno.EDQUOT: Sentence("this user has no space left on the disk"),
    errno.EIO: Sentence("the disk does not work properly"),
    errno.ENAMETOOLONG: Sentence("the name is too long"),
    errno.ELOOP: Sentence("a link in the path leads to itself"),
    errno.EADDRINUSE: Sentence("another program uses this address and port"),
    errno.EADDRNOTAVAIL: Sentence("this machine does not have this address"),
    errno.ECONNREFUSED: Sentence("nobody answers there"),
    errno.EMFILE: Sentence("too many files are open"),
}


def system_reason(error: OSError | ValueError) -> Sentence:
    """Why the system refused, in words that can be told; a ValueError is what a path with a NUL in it gives."""
    number = getattr(error, "errno", None)
    return _SYSTEM.get(number or 0) or Sentence("{system}", system=getattr(error, "strerror", None) or str(error))
