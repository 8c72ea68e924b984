"""One table of a settings file: typed access that raises at the first problem, and knows which keys were asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from mailguard.errors import UsageError
from mailguard.sources.secret import Secret

E = TypeVar("E", bound=StrEnum)


@dataclass(slots=True)
class Table:
    """``where`` is the table's place for messages, such as ``mailbox 2``. Everything raises UsageError."""

    data: Mapping[str, Any]
    where: str
    _asked: set[str] = field(default_factory=set)

    def text(self, key: str, default: str | None = None) -> str:
        """A text of visible characters; without ``default`` it must be there."""
        value = self._get(key, default)
        if not isinstance(value, str) or not value.isprintable() or (default is None and not value):
            raise UsageError("{where}: {key} is wanted as a text on one line.", where=self.where, key=key)
        return value

    def number(self, key: str, default: int, least: int, most: int) -> int:
        """A whole number from ``least`` to ``most``."""
        value = self._get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise UsageError(
                "{where}: {key} is wanted as a whole number from {least} to {most}.",
                where=self.where,
                key=key,
                least=least,
                most=most,
            )
        return value

    def choice(self, key: str, choices: type[E], default: E) -> E:
        """One of the values of an enumeration."""
        value = self._get(key, default)
        if value not in tuple(choices):
            known = ", ".join(f'"{choice}"' for choice in choices)
            raise UsageError("{where}: {key} is wanted as one of {choices}.", where=self.where, key=key, choices=known)
        return choices(value)

    def secret(self, key: str, optional: bool = False) -> Secret | None:
        """Where a secret lies: ``<key>_file`` or ``<key>_env``. The secret itself must not stand in the settings."""
        if key in self.data:
            # The value is not shown: it is the secret.
            raise UsageError(
                "{where}: a secret does not belong into this file; name a file ({key}_file) or a variable ({key}_env).",
                where=self.where,
                key=key,
            )
        secret = Secret(file=self.text(f"{key}_file", ""), variable=self.text(f"{key}_env", ""))
        if secret.file and secret.variable:
            raise UsageError("{where}: give only one of {key}_file and {key}_env.", where=self.where, key=key)
        if not secret.place:
            if optional:
                return None
            raise UsageError("{where}: {key}_file or {key}_env is wanted.", where=self.where, key=key)
        return secret

    def below(self, key: str) -> Mapping[str, Any]:
        """A table inside this one."""
        value = self._get(key, None)
        if not isinstance(value, dict):
            raise UsageError("{where}: {key} is wanted as a table.", where=self.where, key=key)
        return value

    def nothing_else(self) -> None:
        """Every key has been asked for."""
        if unknown := sorted(set(self.data) - self._asked):
            raise UsageError(
                "{where}: {key} is no known key; known are {known}.",
                where=self.where,
                key=unknown[0],
                known=", ".join(sorted(self._asked)),
            )

    def _get(self, key: str, default: object) -> Any:
        self._asked.add(key)
        return self.data.get(key, default)
