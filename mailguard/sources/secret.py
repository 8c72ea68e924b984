"""Passwords and the like: named in the settings, never written there."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mailguard.errors import UsageError, system_reason

_SECRET_BYTES: Final = 16 * 1024


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret lies: a file, or else an environment variable. Holds no secret, so it may be shown and logged."""

    file: str = ""
    variable: str = ""

    def read(self, environ: Mapping[str, str] = os.environ) -> str:
        """The secret as it is now, at most 16 KiB, without the line's end. Raises UsageError, which never shows it."""
        return self._checked(self._from_file() if self.file else environ.get(self.variable, ""))

    @property
    def place(self) -> str:
        """The file or the variable, for messages."""
        return self.file or self.variable

    def is_open(self) -> bool:
        """Whether every user of this machine may read the file; false where there is none."""
        try:
            return bool(self.file) and bool(Path(self.file).stat().st_mode & stat.S_IROTH)
        except OSError:
            return False

    def _from_file(self) -> str:
        try:
            with Path(self.file).open("rb") as file:
                return file.read(_SECRET_BYTES + 2).decode("utf-8")
        except OSError as error:
            raise UsageError(
                "The secret in {place} could not be read: {why}.", place=self.place, why=system_reason(error)
            ) from error
        except UnicodeDecodeError:
            # Not "from error": that exception holds the bytes.
            raise UsageError("The secret in {place} is not UTF-8 text.", place=self.place) from None

    def _checked(self, text: str) -> str:
        secret = text.removesuffix("\n").removesuffix("\r")
        if not secret:
            raise UsageError("There is no secret in {place}.", place=self.place)
        # A control character would end the line that carries the secret, and begin another command.
        if len(secret) > _SECRET_BYTES or not secret.isprintable():
            raise UsageError(
                "The secret in {place} is too long or holds more than one line of visible characters.", place=self.place
            )
        return secret
