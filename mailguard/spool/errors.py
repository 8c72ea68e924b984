"""What can go wrong with the spool."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from mailguard.errors import OperationError, Sentence, system_reason

_NO_SPACE: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class SpoolError(OperationError):
    """The spool could not do what was asked; a sender is told to come again."""


class SpoolFull(SpoolError):
    """There is no room for more mails at the moment."""


@contextmanager
def told(action: str, /, **fields: object) -> Iterator[None]:
    """Turn an OSError into a SpoolError that says what was attempted, as in ``told("write to the spool")``."""
    try:
        yield
    except OSError as error:
        kind = SpoolFull if error.errno in _NO_SPACE else SpoolError
        attempted = Sentence(action, **fields)
        raise kind(Sentence("Could not {action}: {error}.", action=attempted, error=_why(error))) from error


def _why(error: OSError) -> Sentence:
    why = system_reason(error)
    return Sentence("{file}: {reason}", file=error.filename, reason=why) if error.filename else why
