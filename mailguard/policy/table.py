"""One table of a policy file: typed access that notes every problem and goes on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeVar

from mailguard.errors import Sentence
from mailguard.providers import Text

E = TypeVar("E", bound=StrEnum)

_RULE_ID = re.compile(r"[A-Z]{2,8}[0-9]{3}")


def is_rule_id(text: str) -> bool:
    """Whether a text has the form of a rule id; whether there is such a rule is another question."""
    return _RULE_ID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Table:
    """``where`` is the table's place for messages, such as ``requirement 3``; problems are added to ``problems``."""

    data: dict[str, Any]
    file: str
    where: str
    problems: list[Sentence]

    def problem(self, key: str, says: str, **fields: object) -> None:
        """Note a problem with one key. ``says`` goes on after the key's name; ``fields`` fill its placeholders."""
        place = f"{self.where}, {key}" if self.where else key
        told = Sentence("{file}: {place}: {says}.", file=self.file, place=place, says=Sentence(says, **fields))
        self.problems.append(told)

    def only(self, known: Set[str]) -> None:
        """Note every key that is not known."""
        for key in self.data:
            if key not in known:
                self.problem(key, "is no known key; known are {known}", known=", ".join(sorted(known)))

    def string(self, key: str, optional: bool = False) -> str:
        """A text that is not blank; ``""`` where it is missing or wrong."""
        value = self.data.get(key)
        if value is None and optional:
            return ""
        if not isinstance(value, str) or not value.strip():
            self.problem(key, "is wanted as a text")
            return ""
        return value

    def strings(self, key: str) -> tuple[str, ...]:
        """A list of texts."""
        value = self.data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.problem(key, "is wanted as a list of texts")
            return ()
        return tuple(value)

    def boolean(self, key: str) -> bool | None:
        """true or false; ``None`` where nothing is said."""
        value = self.data.get(key)
        if value is not None and not isinstance(value, bool):
            self.problem(key, "is wanted as true or false")
            return None
        return value

    def day(self, key: str) -> date | None:
        """A day, written without quotes."""
        value = self.data.get(key)
        if not isinstance(value, date) or isinstance(value, datetime):
            self.problem(key, "is wanted as a day without quotes, such as 2027-03-31")
            return None
        return value

    def text(self, key: str, optional: bool = False) -> Text:
        """The same words in Japanese and English."""
        value = self.data.get(key)
        if value is None and optional:
            return Text("", "")
        if not isinstance(value, dict) or set(value) != {"ja", "en"} or not all(map(_is_words, value.values())):
            self.problem(key, 'is wanted in both languages, as { ja = "...", en = "..." }')
            return Text("", "")
        return Text(value["ja"], value["en"])

    def choice(self, key: str, choices: type[E], optional: bool = False) -> E | None:
        """One of the values of an enumeration; ``None`` where it is missing or wrong."""
        value = self.data.get(key)
        if value is None and optional:
            return None
        if not isinstance(value, str) or value not in tuple(choices):
            self.problem(key, "is wanted as one of {choices}", choices=", ".join(choices))
            return None
        return choices(value)

    def table(self, key: str) -> Table:
        """A table below this one; empty where there is none."""
        value = self.data.get(key, {})
        where = f"{self.where}.{key}" if self.where else key
        if not isinstance(value, dict):
            self.problem(key, "is wanted as a table")
            value = {}
        return Table(value, self.file, where, self.problems)

    def tables(self, key: str) -> Iterator[Table]:
        """The tables of an array of tables, numbered from one."""
        value = self.data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.problem(key, "is wanted as tables, each under [[{table}]]", table=key)
            return
        for number, item in enumerate(value, 1):
            yield Table(item, self.file, f"{key} {number}", self.problems)


def _is_words(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
