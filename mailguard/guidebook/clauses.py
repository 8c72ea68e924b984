"""Which clauses of the ministry's guideline, and items of its checklist, this guide is near to: as data.

``policies/guide/guideline.toml`` holds them with the version that was read, the day, and the sources. What is near is
not asked for: no text that could be read names SPF, DKIM or DMARC, and the data says nothing of the kind.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Final

from mailguard.guidebook.claims import Source
from mailguard.providers import Text
from mailguard.resources import policies

_STANDINGS: Final = frozenset({"V", "S"})
_NOTHING: Final = Text("", "")


@dataclass(frozen=True, slots=True)
class Edition:
    """A text of the ministry, the version that was read, and the day on which it was looked for newer ones."""

    title: Text
    version: Text
    checked: date


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause, or an item of the checklist (without volume and ``asks``).

    ``number`` is empty where it was not read. ``parts`` are ids of parts that help, ``families`` beginnings of rules
    whose findings are near to it. ``read_in`` is empty where the text itself was read, else where it was: in a draft,
    in somebody's account, or in somebody's account-of-draft.
    """

    id: str
    number: str
    title: Text
    helps: Text
    parts: tuple[str, ...]
    sources: tuple[str, ...]
    volume: Text = _NOTHING
    asks: Text = _NOTHING
    families: tuple[str, ...] = ()
    read_in: str = ""

    def name(self, language: str) -> str:
        """How margins name it: 経営管理編3.3.2, Governance 3.3.2."""
        return ("" if language == "ja" else " ").join(filter(None, (self.volume.of(language), self.number)))


@dataclass(frozen=True, slots=True)
class Guideline:
    """All of it."""

    edition: Edition
    checklist: Edition
    clauses: Mapping[str, Clause]
    items: Mapping[str, Clause]
    sources: Mapping[str, Source]


@cache
def load_guideline() -> Guideline:
    """What comes with mailguard, read once."""
    return parse_guideline((policies() / "guide" / "guideline.toml").read_text("utf-8"))


def parse_guideline(text: str) -> Guideline:
    """The clauses of a file. Raises ValueError for one without a source, or a source that was not read."""
    data = tomllib.loads(text)
    sources = {one["id"]: _source(one) for one in data["source"]}
    clauses = {one["id"]: _clause(one, sources) for one in data["clause"]}
    items = {one["id"]: _clause(one, sources) for one in data["item"]}
    if len(clauses) + len(items) < len(data["clause"]) + len(data["item"]) or len(sources) < len(data["source"]):
        raise ValueError("guideline: an id stands twice")
    return Guideline(_edition(data["document"]), _edition(data["checklist"]), clauses, items, sources)


def _edition(data: dict[str, Any]) -> Edition:
    return Edition(Text(**data["title"]), Text(**data["version"]), data["checked"])


def _source(data: dict[str, Any]) -> Source:
    source = Source(data["id"], Text(**data["title"]), data["url"], data["read_on"], data["standing"])
    if source.standing not in _STANDINGS or not isinstance(source.read_on, date) or not all(source.title):
        raise ValueError(f"guideline: source {source.id} lacks a title, a day or a standing")
    return source


def _clause(data: dict[str, Any], sources: Mapping[str, Source]) -> Clause:
    if not data["sources"] or not sources.keys() >= set(data["sources"]) or not all(_text(data, "helps")):
        raise ValueError(f"guideline: {data['id']} lacks a source or a language")
    return Clause(
        id=data["id"],
        number=data["number"],
        title=_text(data, "title"),
        helps=_text(data, "helps"),
        parts=tuple(data["parts"]),
        sources=tuple(data["sources"]),
        volume=_text(data, "volume"),
        asks=_text(data, "asks"),
        families=tuple(data.get("families", ())),
        read_in=_read_in(data, sources),
    )


def _read_in(data: dict[str, Any], sources: Mapping[str, Source]) -> str:
    is_draft = data.get("draft", False)
    if all(sources[source].standing == "S" for source in data["sources"]):
        return "account-of-draft" if is_draft else "account"
    return "draft" if is_draft else ""


def _text(data: dict[str, Any], key: str) -> Text:
    return Text(**data[key]) if key in data else _NOTHING
