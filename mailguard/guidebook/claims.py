"""Statements about law, guideline, fees, statistics and other people's rules: as data, each with its sources.

``policies/guide/claims.toml`` holds them in both languages. A text of the guide brings one in where it writes
```claim:id```, and marks a sentence of its own with ```cite:id``` (``marks.py``); ``told`` puts statements and marks
in their places and lists the sources, with the day on which they were read, at the end of the part.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from operator import is_
from typing import Any, Final

from mailguard.guidebook.blocks import Block, Bullets, Heading, Kind, Paragraph, Rich, Span, Tone
from mailguard.guidebook.marks import Mark
from mailguard.guidebook.texts import Texts
from mailguard.providers import Text
from mailguard.resources import policies

_STANDINGS: Final = frozenset({"V", "S"})


@dataclass(frozen=True, slots=True)
class Source:
    """Where a statement was read. ``standing``: V a copy of the source, often an excerpt; S another's account."""

    id: str
    title: Text
    url: str
    read_on: date
    standing: str


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement."""

    id: str
    says: Text
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Claims:
    """All statements and their sources by id."""

    claims: Mapping[str, Claim]
    sources: Mapping[str, Source]


@cache
def load_claims() -> Claims:
    """The statements that come with mailguard, read once."""
    return parse_claims((policies() / "guide" / "claims.toml").read_text("utf-8"))


def parse_claims(text: str) -> Claims:
    """The statements of a file. Raises ValueError for one that lacks a language, a source, or a source's day."""
    data = tomllib.loads(text)
    sources = {source["id"]: _source(source) for source in data["source"]}
    claims = {claim["id"]: _claim(claim, sources) for claim in data["claim"]}
    if len(claims) < len(data["claim"]) or len(sources) < len(data["source"]):
        raise ValueError("claims: an id stands twice")
    return Claims(claims, sources)


def _source(data: dict[str, Any]) -> Source:
    source = Source(data["id"], Text(**data["title"]), data["url"], data["read_on"], data["standing"])
    if source.standing not in _STANDINGS or not isinstance(source.read_on, date) or not all(source.title):
        raise ValueError(f"claims: source {source.id} lacks a title, a day or a standing")
    return source


def _claim(data: dict[str, Any], sources: Mapping[str, Source]) -> Claim:
    claim = Claim(data["id"], Text(data["ja"], data["en"]), tuple(data["sources"]))
    if not claim.sources or not sources.keys() >= set(claim.sources) or not all(claim.says):
        raise ValueError(f"claims: {claim.id} lacks a source or a language")
    return claim


def told(blocks: Iterable[Block], texts: Texts, part: str) -> tuple[Block, ...]:
    """Blocks with their statements in place, and after them the sources in the order in which they are first cited.

    Raises KeyError for a statement that is not in the data.
    """
    teller = _Teller(texts.language, f"#{part}-sources")
    filled = tuple(teller.block(block) for block in blocks)
    if not teller.numbers:
        return filled
    heading = Heading(texts("glossary.sources"), 2, anchor=f"{part}-sources")
    sources = (load_claims().sources[source] for source in teller.numbers)
    note = Paragraph(texts("glossary.sources-note"), Tone.QUIET)
    return (*filled, heading, source_list(sources, texts), note)


def source_list(sources: Iterable[Source], texts: Texts) -> Bullets:
    """Sources, numbered, with the day on which each was read."""
    return Bullets(tuple((_told_source(source, texts),) for source in sources), ordered=True)


def _told_source(source: Source, texts: Texts) -> Paragraph:
    title = source.title.of(texts.language)
    link = (Span(title, Kind.LINK, source.url),)
    words = "glossary.source-read" if source.standing == "V" else "glossary.source-second-hand"
    return Paragraph(texts(words, title=link, day=source.read_on), Tone.QUIET)


class _Teller:
    """Replaces marks by statements, and numbers their sources as it goes."""

    def __init__(self, language: str, anchor: str) -> None:
        self.numbers: dict[str, int] = {}
        self._language = language
        self._anchor = anchor

    def block(self, block: Block) -> Block:
        filled: Block = _mapped(block, self._rich)
        return filled

    def _rich(self, rich: Rich) -> Rich:
        if not any(isinstance(span, Mark) for span in rich):
            return rich
        return tuple(span for before in rich for span in self._span(before))

    def _span(self, span: Span) -> Iterator[Span]:
        if not isinstance(span, Mark):
            yield span
            return
        claim = load_claims().claims[span.claim]
        if span.is_whole:
            yield Span(claim.says.of(self._language))
        yield self._number(claim)

    def _number(self, claim: Claim) -> Span:
        numbers = [self.numbers.setdefault(source, len(self.numbers) + 1) for source in claim.sources]
        return Span(f"[{', '.join(map(str, numbers))}]", Kind.LINK, self._anchor)


def _mapped(value: Any, change: Callable[[Rich], Rich]) -> Any:
    """A block in which every rich text, however deep, has been changed; the very same one where nothing was."""
    if isinstance(value, tuple):
        if value and isinstance(value[0], Span):
            return change(value)
        items = tuple(_mapped(item, change) for item in value)
        return value if all(map(is_, items, value)) else items
    names = getattr(value, "__dataclass_fields__", ())  # none in a text or a number
    found = {name: _mapped(getattr(value, name), change) for name in names}
    changed = {name: new for name, new in found.items() if new is not getattr(value, name)}
    return replace(value, **changed) if changed else value
