"""A table of ``mailguard.toml``: what ``sources.table`` knows, and lists, paths, times and yes or no."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mailguard.errors import UsageError
from mailguard.sources.table import Table


class Section(Table):
    """Everything raises UsageError at the first problem: one sentence with the file, the table and the key."""

    __slots__ = ()

    def flag(self, key: str, default: bool) -> bool:
        """true or false."""
        value = self._get(key, default)
        if not isinstance(value, bool):
            raise UsageError("{where}: {key} is wanted as true or false.", where=self.where, key=key)
        return value

    def seconds(self, key: str, default: float, least: float, most: float) -> float:
        """A time in seconds, whole or not."""
        value = self._get(key, default)
        if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value <= most:
            raise UsageError(
                "{where}: {key} is wanted as a number of seconds from {least} to {most}.",
                where=self.where,
                key=key,
                least=least,
                most=most,
            )
        return float(value)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; a single text is a list of one. Empty where nothing is said."""
        value = self._get(key, [])
        found = [value] if isinstance(value, str) else value
        if not isinstance(found, list) or not all(isinstance(one, str) and one and one.isprintable() for one in found):
            raise UsageError("{where}: {key} is wanted as a list of texts.", where=self.where, key=key)
        return tuple(found)

    def path(self, key: str, default: str, base: Path) -> Path:
        """A path; a relative one begins where the settings file lies."""
        return base / self.text(key, default)

    def section(self, key: str) -> Section:
        """A table inside this one; empty where it is not there."""
        data = self.below(key) if key in self.data else {}
        return Section(data, self._inside(key))

    def sections(self, key: str) -> Iterator[tuple[Mapping[str, Any], str]]:
        """The tables under ``[[key]]``, each with its place for messages."""
        value = self._get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            raise UsageError("{where}: {key} is wanted as tables, each under [[{key}]].", where=self.where, key=key)
        for number, one in enumerate(value, 1):
            yield one, f"{self.where}: [[{key}]] {number}"

    def known(self, keys: Iterable[str]) -> None:
        """Keys that may be there, whether or not they are."""
        self._asked.update(keys)

    def _inside(self, key: str) -> str:
        return f"{self.where[:-1]}.{key}]" if self.where.endswith("]") else f"{self.where}: [{key}]"
