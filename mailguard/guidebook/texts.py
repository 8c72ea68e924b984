"""Words by id, in one language, with typed placeholders.

Each part has a gettext catalogue of its own, ``locale/<language>/LC_MESSAGES/guide_<part>.po``, in both languages,
whose message ids are ids (``director.title``). A message may hold ``**weight**``, ```code``` and placeholders with a
type:

==============  ==============================================================
``{x}``         a text, perhaps a stranger's
``{x:code}``    a domain name, a record: monospace
``{x:number}``  an integer, with commas
``{x:date}``    a day, 2026年11月22日（令和8年11月22日） or 22 November 2026
``{x:day}``     a day without the era, for tables
``{x:time}``    a moment, in Japan's time, which it says
``{x:text}``    another message's text (a ``Rich``), put in as it is
==============  ==============================================================

``{{`` and ``}}`` are braces. Every id stands in both languages with the same placeholders, and is used (tests).
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from typing import Final

from mailguard.guidebook.blocks import Kind, Rich, Span, code, fact, plain
from mailguard.guidebook.days import format_date, format_day, format_time
from mailguard.guidebook.marks import own_code

_PIECE: Final = re.compile(r"\{\{|\}\}|\{([a-z_]+)(?::([a-z]+))?\}|\*\*(.+?)\*\*|`([^`{}]+)`")
TYPES: Final = frozenset({"text", "code", "number", "date", "day", "time"})


@dataclass(frozen=True, slots=True)
class Texts:
    """The words of one language."""

    language: str

    def __call__(self, message: str, **facts: object) -> Rich:
        """The message of an id, filled in. Raises KeyError for an unknown id or a fact that is missing."""
        return tuple(_joined(_pieces(self.raw(message), facts, self.language)))

    def plain(self, message: str, **facts: object) -> str:
        """The same without markup, where a form knows none (file names, subjects, alternative texts)."""
        return plain(self(message, **facts))

    def raw(self, message: str) -> str:
        """The message as it stands in the catalogue. Raises KeyError for an unknown id."""
        text = _catalogue(message.partition(".")[0], self.language).gettext(message)
        if text == message:
            raise KeyError(f"no text {message!r} in {self.language}")
        return text

    def has(self, message: str) -> bool:
        """Whether there is such a message."""
        return _catalogue(message.partition(".")[0], self.language).gettext(message) != message


@cache
def _catalogue(part: str, language: str) -> gettext.GNUTranslations:
    place = files("mailguard") / "locale" / language / "LC_MESSAGES" / f"guide_{part}.mo"
    if not place.is_file():
        raise KeyError(f"no catalogue guide_{part} in {language}")
    with as_file(place) as path, path.open("rb") as file:
        return gettext.GNUTranslations(file)


def placeholders(text: str) -> frozenset[tuple[str, str]]:
    """Names and types of a message's placeholders."""
    return frozenset((match[1], match[2] or "") for match in _PIECE.finditer(text) if match[1])


def _pieces(text: str, facts: dict[str, object], language: str) -> Iterator[Span]:
    end = 0
    for match in _PIECE.finditer(text):
        if match.start() > end:
            yield Span(text[end : match.start()])
        end = match.end()
        if match[1]:
            yield from _filled(facts[match[1]], match[2] or "", language)
        elif match[3]:
            yield from (_weighty(span) for span in _pieces(match[3], facts, language))
        elif match[4]:
            yield own_code(match[4])
        else:
            yield Span(match[0][0])
    if end < len(text):
        yield Span(text[end:])


def _weighty(span: Span) -> Span:
    return Span(span.text, Kind.STRONG) if span.kind in (Kind.TEXT, Kind.FACT) else span


def _filled(value: object, kind: str, language: str) -> Iterator[Span]:
    match kind:
        case "text":
            assert isinstance(value, tuple)
            yield from value
        case "code":
            yield code(value)
        case "number":
            yield Span(f"{value:,}", Kind.FACT)
        case "date":
            yield Span(format_date(value, language), Kind.FACT)
        case "day":
            yield Span(format_day(value, language), Kind.FACT)
        case "time":
            yield Span(format_time(value, language), Kind.FACT)
        case _:
            yield fact(value)


def _joined(spans: Iterator[Span]) -> Iterator[Span]:
    """Neighbours of our own plain words as one span."""
    held: Span | None = None
    for span in spans:
        if held and held.kind is span.kind is Kind.TEXT:
            held = Span(held.text + span.text)
            continue
        if held:
            yield held
        held = span
    if held:
        yield held
