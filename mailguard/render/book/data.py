"""A book as JSON: its content as ``schema/guide-1.schema.json`` says it, for other programs.

Every block says its kind in ``block``; rich text is a list of spans. What a program does with a stranger's text is
its own affair, so spans keep their kind: ``fact`` and ``code`` may hold anything that somebody published.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, get_args

from mailguard.guidebook.blocks import Block, Book, Span
from mailguard.render.book.html import kind_of
from mailguard.render.safe import json_text

SCHEMA: Final = "mailguard-guide/1"


def render_json(book: Book) -> str:
    """The book as JSON text that ends with a newline."""
    return json_text(to_data(book), indent=1) + "\n"


def to_data(book: Book) -> dict[str, Any]:
    """The book as plain values."""
    return {"schema": SCHEMA} | _fields(book)


def _plain(value: object) -> Any:
    match value:
        case Span():
            shown = {"kind": str(value.kind), "text": value.text}
            return shown | ({"target": value.target} if value.target else {})
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        case StrEnum():
            return str(value)
        case frozenset():
            return sorted(map(_plain, value))
        case tuple():
            return [_plain(item) for item in value]
        case str() | int() | bool() | None:
            return value
        case _:
            named = {"block": kind_of(type(value))} if isinstance(value, _BLOCKS) else {}
            return named | _fields(value)


def _fields(value: Any) -> dict[str, Any]:
    return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}


_BLOCKS: Final = get_args(Block)
