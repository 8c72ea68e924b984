"""A bounded memory of answers.

Pure: whoever looks says what time it is.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, NamedTuple, TypeVar

from mailguard.inquiry import Question

V = TypeVar("V")


class _Entry(NamedTuple, Generic[V]):
    value: V
    expires: float
    octets: int


class AnswerCache(Generic[V]):
    """Keeps at most ``max_entries`` values weighing ``max_octets`` together; the one unused for longest goes first."""

    def __init__(self, max_entries: int, max_octets: int) -> None:
        self._entries: OrderedDict[Question, _Entry[V]] = OrderedDict()
        self._max_entries = max_entries
        self._max_octets = max_octets
        self.octets = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, question: Question, now: float) -> V | None:
        """The value, unless there is none or its time is over."""
        entry = self._entries.get(question)
        if entry is None:
            return None
        if entry.expires <= now:
            self._drop(question)
            return None
        self._entries.move_to_end(question)
        return entry.value

    def put(self, question: Question, value: V, *, expires: float, octets: int) -> None:
        """Remember ``value`` until ``expires``. A value heavier than the whole cache is not kept."""
        if question in self._entries:
            self._drop(question)
        if octets > self._max_octets:
            return
        self._entries[question] = _Entry(value, expires, octets)
        self.octets += octets
        while len(self._entries) > self._max_entries or self.octets > self._max_octets:
            self._drop(next(iter(self._entries)))

    def _drop(self, question: Question) -> None:
        self.octets -= self._entries.pop(question).octets
