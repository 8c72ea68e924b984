"""The categories of disagreement, read from categories.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Final

UNEXPLAINED: Final = "unexplained"
"""The category of a disagreement that nobody knows yet."""

_UNEXPLAINED_WORDS: Final = {
    "en": "This difference is not known yet: one of the two is mistaken. Please report it with the saved evidence.",
    "ja": "まだ知られていない違いです。どちらかが誤っています。保存した証拠を添えてお知らせください。",
}


class Right(StrEnum):
    """Who is right by the standard."""

    OURS = "ours"
    THEIRS = "theirs"
    OPEN = "open"  # the standard leaves it to the reader


@dataclass(frozen=True, slots=True)
class Category:
    """One known difference. ``words`` has one sentence in each language."""

    id: str
    clause: str
    right: Right
    words: Mapping[str, str]


@cache
def load_categories() -> Mapping[str, Category]:
    """All categories by id, in the order of the file."""
    tables = tomllib.loads((files(__package__) / "categories.toml").read_text("utf-8"))["category"]
    return {
        table["id"]: Category(
            table["id"], table["clause"], Right(table["right"]), {"en": table["en"], "ja": table["ja"]}
        )
        for table in tables
    }


def explain(category: str, language: str) -> str:
    """One sentence in ``ja`` or ``en`` that tells a category, also ``UNEXPLAINED``. Raises KeyError for no category."""
    if category == UNEXPLAINED:
        return _UNEXPLAINED_WORDS[language]
    return load_categories()[category].words[language]
