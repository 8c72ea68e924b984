"""How hard a part is to read: characters to a Japanese sentence, words to an English one.

Only what ends in a full stop counts: headings and labels would flatter the average. Records, values to copy and fields
to fill in are left out. A name in monospace counts as one character, or one word: nobody spells a domain while reading.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from mailguard.guidebook.blocks import (
    Block,
    Bullets,
    Callout,
    Card,
    Chart,
    Heading,
    Kind,
    Paragraph,
    Part,
    Rich,
    Signals,
    Table,
)

LIMITS: Final = {"ja": 60, "en": 20}
"""Most characters (Japanese) or words (English) to a sentence, on average, where directors and staff read."""

_STOPS: Final = {"ja": re.compile(r"[^。！？]+[。！？]"), "en": re.compile(r"\S.*?[.!?](?=[\s)\"”]|$)")}
_MARKS = re.compile(r"\[[0-9, ]+\]")
_WORD = re.compile(r"[A-Za-z0-9'’@.-]*[A-Za-z0-9]")
_NAME: Final = {"ja": "■", "en": "name"}


@dataclass(frozen=True, slots=True)
class Measure:
    """How many sentences a part has, and how long they are together: characters in Japanese, words in English."""

    sentences: tuple[str, ...]
    length: int

    @property
    def average(self) -> float:
        """Characters or words to a sentence; 0 where there is none."""
        return self.length / len(self.sentences) if self.sentences else 0.0


def measure(part: Part, language: str) -> Measure:
    """Read a part as somebody reads it, from the first block to the last."""
    found = tuple(sentence for rich in runs(part.blocks) for sentence in sentences(rich, language))
    return Measure(found, sum(length(sentence, language) for sentence in found))


def sentences(rich: Rich, language: str) -> tuple[str, ...]:
    """The sentences of a text, without marks of sources."""
    text = "".join(_NAME[language] if span.kind is Kind.CODE else span.text for span in rich)
    return tuple(match[0].strip() for match in _STOPS[language].finditer(_MARKS.sub("", text)))


def length(sentence: str, language: str) -> int:
    """Characters of a Japanese sentence, words of an English one."""
    return len(sentence) if language == "ja" else len(_WORD.findall(sentence))


def runs(blocks: Iterable[Block]) -> Iterator[Rich]:
    """Every stretch of text that is read, in order. Records, forms and what is to be copied are left out."""
    for block in blocks:
        match block:
            case Heading() | Paragraph():
                yield block.text
            case Bullets():
                for item in block.items:
                    yield from runs(item)
            case Callout() | Card():
                yield block.title
                yield from runs(block.blocks)
            case Table(form=False):
                yield from _cells(block)
            case Signals():
                for signal in block.signals:
                    yield from (signal.title, signal.word, signal.text)
            case Chart():
                yield from (block.title, block.alternative)
            case _:
                pass


def _cells(table: Table) -> Iterator[Rich]:
    yield table.caption
    yield from table.head
    for row in table.rows:
        yield from row
