"""Why a mail is kept apart: an id that no version changes, and typed fields. Sentences are made where it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

_MAX_CHARS: Final = 500
_MAX_FIELDS: Final = 10

EARLIER: Final = "earlier"
"""The id of what an earlier version wrote down: a sentence (the field ``text``), and no id."""


@dataclass(frozen=True, slots=True)
class Reason:
    """``Reason("took-too-long")``, ``Reason("crashed", {"code": -11})``.

    Fields may hold what strangers wrote. A text is cut to 500 characters.
    """

    id: str
    fields: Mapping[str, str | int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        cut = {key: value[:_MAX_CHARS] if isinstance(value, str) else value for key, value in self.fields.items()}
        object.__setattr__(self, "fields", cut)

    def __str__(self) -> str:
        """For logs of errors."""
        return " ".join((self.id, *(f"{key}={value}" for key, value in self.fields.items())))


def decode_reason(value: object) -> Reason:
    """A reason as JSON had it. Raises ValueError for what none can be."""
    if isinstance(value, str):
        return Reason(EARLIER, {"text": value})
    if not isinstance(value, dict) or not isinstance(id := value.get("id"), str):
        raise ValueError("no reason")
    fields = value.get("fields")
    if not isinstance(fields, dict) or len(fields) > _MAX_FIELDS or not all(map(_is_field, fields.values())):
        raise ValueError("no fields of a reason")
    return Reason(id[:_MAX_CHARS], fields)


def _is_field(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)
