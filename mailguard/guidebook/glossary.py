"""The words of the guide, explained, and where readers meet them first.

``policies/guide/glossary.toml`` holds each word in both languages, with its reading and one sentence. ``first_uses``
finds in a finished book where each word comes up first in a part, and whether it is explained right there.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final

from mailguard.guidebook.blocks import Book, Kind, Part, Rich
from mailguard.guidebook.measure import runs
from mailguard.providers import Text
from mailguard.resources import policies

PART: Final = "glossary"
"""The part that explains every word; it need not explain itself."""


@dataclass(frozen=True, slots=True)
class Term:
    """A word with what it means. ``also`` are other ways in which it is written."""

    id: str
    name: Text
    reading: str
    says: Text
    also: tuple[tuple[str, ...], tuple[str, ...]]  # Japanese, English

    def forms(self, language: str) -> tuple[str, ...]:
        """All ways in which a language writes the word."""
        name, also = (self.name.ja, self.also[0]) if language == "ja" else (self.name.en, self.also[1])
        return (name, *also)


@dataclass(frozen=True, slots=True)
class Group:
    """Words that belong together."""

    id: str
    title: Text
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Use:
    """The first place in a part where a word comes up. ``explained``: it is explained in that very text."""

    term: Term
    part: str
    text: str
    explained: bool


@cache
def load_glossary() -> tuple[Group, ...]:
    """The glossary that comes with mailguard, read once."""
    return parse_glossary((policies() / "guide" / "glossary.toml").read_text("utf-8"))


def parse_glossary(text: str) -> tuple[Group, ...]:
    """The groups of a file. Raises ValueError for a word that stands twice, or in no group."""
    data = tomllib.loads(text)
    ids = [term["id"] for term in data["term"]]
    groups = {group["id"] for group in data["group"]}
    if len(set(ids)) < len(ids) or any(term["group"] not in groups for term in data["term"]):
        raise ValueError("glossary: a word stands twice, or in no group")
    return tuple(
        Group(group["id"], Text(**group["title"]), tuple(_terms(data["term"], group["id"]))) for group in data["group"]
    )


def _terms(terms: Iterable[dict[str, Any]], group: str) -> Iterator[Term]:
    for term in terms:
        if term["group"] == group:
            also = term.get("also", {"ja": [], "en": []})
            says, name = Text(**term["says"]), Text(term["ja"], term["en"])
            yield Term(term["id"], name, term["reading"], says, (tuple(also["ja"]), tuple(also["en"])))


def first_uses(book: Book, terms: Iterable[Term]) -> tuple[Use, ...]:
    """Where each word comes up first, part by part. Words in monospace and values are not prose and do not count."""
    known = tuple(terms)
    return tuple(use for part in book.parts if part.id != PART for use in _uses(part, known, book.language))


def _uses(part: Part, terms: tuple[Term, ...], language: str) -> Iterator[Use]:
    texts = [prose(rich) for rich in (part.title, *runs(part.blocks))]
    for term in terms:
        text = next((text for text in texts if _pattern(term.forms(language), language).search(text)), None)
        if text is not None:
            yield Use(term, part.id, text, is_explained(text, term, language))


def prose(rich: Rich) -> str:
    """Our own words of a text; a blank stands where a value or a name in monospace was."""
    own = (Kind.TEXT, Kind.STRONG, Kind.LINK, Kind.RUBY)
    return "".join(span.text if span.kind in own else " " for span in rich)


def is_explained(text: str, term: Term, language: str) -> bool:
    """Whether a text explains a word that it uses: by brackets after it, in brackets after plainer words, or as "X is".

    ``SPF（送信元の名簿）``, ``送信元の名簿（SPF）``, ``SPFは、…です``, ``SPF (a list ...)``, ``a list (SPF)``.
    """
    word = "|".join(map(re.escape, sorted(term.forms(language), key=len, reverse=True)))
    ways = (
        rf"(?:{word})[」』]?\s?[（(]",
        rf"[（(](?:{word})[）)]",
        rf"(?:{word})[」』]?(?:とは|は、|は「|：|\s?=|, which| is | are |: )",
        rf"という(?:{word})|(?:called|named) (?:{word})",
    )
    return any(re.search(way, text, re.IGNORECASE) for way in ways)


@lru_cache(maxsize=512)
def _pattern(forms: tuple[str, ...], language: str) -> re.Pattern[str]:
    """Any of the forms; Latin words only as whole words, so that "IP" is not found in "IPA"."""
    ways = (re.escape(form) for form in sorted(forms, key=len, reverse=True))
    edged = (rf"(?<![A-Za-z0-9]){way}(?![A-Za-z0-9])" if way[0].isascii() else way for way in ways)
    return re.compile("|".join(edged), re.IGNORECASE if language == "en" else 0)
