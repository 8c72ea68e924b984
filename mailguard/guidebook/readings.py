"""Readings (furigana) for our own Japanese words.

``policies/guide/readings.txt`` holds reviewed words with their readings, one a line; a verb stands there once, with
the kana that may follow (``送・らりるれろっ おく``). The longest word that fits at a place wins, so a word whose
reading depends on its neighbours stands there together with them (``書く方が`` beside ``方``). Nothing is guessed:
kanji that no word covers keep their place without a reading, and a test looks for them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import groupby
from typing import Final

from mailguard.resources import policies

KANJI: Final = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003134f々〆]+")
"""A run of characters that want a reading."""

_NUMBERED: Final = re.compile(rf"(?:[0-9]*{KANJI.pattern})+")

Pairs = tuple[tuple[str, str], ...]
"""Stretches of a text, each with its reading; empty where none is needed. Joined, the stretches are the text."""


_COUNTERS: Final = frozenset("分日人月")
"""Read in one way after a number and in another without. Where a text begins with one, a value may stand before it."""


@dataclass(frozen=True, slots=True)
class Readings:
    """Words and their readings, by the word's first character, the longest word first."""

    by_first: Mapping[str, tuple[tuple[str, str], ...]]

    def __call__(self, text: str) -> Pairs:
        """The text cut into pairs. Never raises; the joined first halves are always the text."""
        return tuple(_merged(self._cut(text)))

    def _cut(self, text: str) -> Iterator[tuple[str, str]]:
        place = 0
        while place < len(text):
            word, pairs = self._word_at(text, place)
            yield from pairs
            place += len(word)

    def _word_at(self, text: str, place: int) -> tuple[str, Pairs]:
        amid_number = text[place - 1 : place].isdecimal()
        for word, reading in self.by_first.get(text[place], ()):
            if not text.startswith(word, place) or (place == 0 and word in _COUNTERS):
                continue
            # 2日 (ふつか) must not be found in 22日.
            pairs = align(word, reading)
            if not (amid_number and word[0].isdecimal() and pairs[0][1]):
                return word, pairs
        return text[place], ((text[place], ""),)


def ruby(text: str) -> Pairs:
    """Our own words cut into pairs of stretch and reading, for TEXT, STRONG and LINK spans of Japanese books."""
    return _ruby(text)


@lru_cache(maxsize=4096)
def _ruby(text: str) -> Pairs:
    return load_readings()(text)


@cache
def load_readings() -> Readings:
    """The words that come with mailguard, read once."""
    return parse_readings((policies() / "guide" / "readings.txt").read_text("utf-8"))


def parse_readings(text: str) -> Readings:
    """Lines of ``word reading`` or ``stem・kana reading``; ``#`` begins a comment.

    Raises ValueError that names a line without both, or a word that stands twice. Whether a reading fits its word is
    seen when it is used (``align``), and a test uses all of them: two thousand would take a quarter of a second.
    """
    words: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        fields = line.partition("#")[0].split()
        if not fields:
            continue
        if len(fields) != 2:
            raise ValueError(f"readings, line {number}: wanted are a word and its reading")
        stem, _, tails = fields[0].partition("・")
        for tail in tails or ("",):
            if stem + tail in words:
                raise ValueError(f"readings, line {number}: {stem}{tail} stands twice")
            words[stem + tail] = fields[1] + tail
    longest_first = sorted(words.items(), key=lambda item: (item[0][0], -len(item[0])))
    return Readings({first: tuple(group) for first, group in groupby(longest_first, key=lambda item: item[0][0])})


@lru_cache(maxsize=8192)
def align(word: str, reading: str) -> Pairs:
    """A word cut so that each run of kanji has its own part of the reading: 引き継ぎ is (引, ひ), き, (継, つ), ぎ.

    Where the reading has no digits, those of the word are read with the kanji: 1人 is ひとり.
    Raises ValueError where kana and other characters outside the kanji differ between word and reading, or where the
    reading could be cut in more than one way.
    """
    run = KANJI if any(map(str.isdecimal, reading)) else _NUMBERED
    pieces = [(match[0], bool(run.fullmatch(match[0]))) for match in re.finditer(rf"{run.pattern}|.", word)]
    ways = [re.fullmatch(_pattern(pieces, lazy), reading) for lazy in ("", "?")]
    if ways[0] is None or ways[1] is None or ways[0].groups() != ways[1].groups():
        raise ValueError(f"readings: {reading} does not fit {word} in one way")
    heard = iter(ways[0].groups())
    return tuple(_merged((run, next(heard) if kanji else "") for run, kanji in pieces))


def _pattern(pieces: list[tuple[str, bool]], lazy: str) -> str:
    return "".join(f"([ぁ-ゖー]+{lazy})" if kanji else re.escape(run) for run, kanji in pieces)


def _merged(pairs: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Neighbours without a reading as one stretch."""
    for silent, group in groupby(pairs, key=lambda pair: not pair[1]):
        if silent:
            yield "".join(text for text, _ in group), ""
        else:
            yield from group
