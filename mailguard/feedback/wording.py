"""Reading elements in plain text without the parser.

A record is cut at its brackets, and where its values stand is worked out once for its tags (``Wording``). Nearly all
records of a report have the same tags, and so have those of the next report of that reporter. Tags that keep coming
become a pattern, which finds the end of a record and all its texts in one go.

Plain is printable ASCII without references, comments or anything else but tags and texts, where every bracket is one
of a tag. What comes from here is what the parser would have read: what is not plain is left to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final
from xml.etree.ElementTree import Element, ParseError, fromstring

from mailguard.feedback.layout import MOST_ELEMENTS, Layout, Texts, of_element

LONGEST_PLAIN: Final = 16 * 1024

_PLAIN: Final = bytes([0x09, 0x0A, *range(0x20, 0x7F)]).replace(b"&", b"")
_PLAIN_TEXT: Final = r"([\t\n -%'-;=?-~]*+)"
_BLANKS: Final = r"[ \t\r\n]{0,4096}+"

_WORTH_A_PATTERN: Final = 16
"""Making a pattern takes two milliseconds and saves some microseconds each time."""

_MOST_IN_USE: Final = 8

Matcher = Callable[[str, int], re.Match[str] | None]


class Wording:
    """One way of writing the tags of a record, letter for letter."""

    __slots__ = ("_pick", "_tags", "_uses", "layout", "match")

    def __init__(self, tags: tuple[str, ...], layout: Layout, pick: Callable[[Sequence[str]], Texts]) -> None:
        self.layout = layout
        self.match: Matcher | None = None
        self._tags = tags
        self._pick = pick
        self._uses = 0

    def texts(self, pieces: Sequence[str]) -> Texts:
        """The texts of the elements in a record that was cut at its brackets."""
        self._uses += 1
        if self._uses == _WORTH_A_PATTERN:
            self.match = re.compile(_pattern(self._tags)).match
        return self._pick(pieces)


class Patterns:
    """The patterns of records that were met lately, the last used first; eight at most."""

    def __init__(self) -> None:
        self._wordings: list[Wording] = []

    def add(self, wording: Wording) -> None:
        """A record was met that is written like this."""
        if wording.match is not None and wording not in self._wordings:
            self._wordings = [wording, *self._wordings[: _MOST_IN_USE - 1]]

    def each(self, text: str, at: int) -> Iterator[tuple[Layout, Texts, int]]:
        """Layout and texts of the records that follow each other from here on, after blanks, and where each ends.

        Every character of ``text`` stands for a byte. Bound: ``LONGEST_PLAIN`` for each.
        """
        while found := self._first_match(text, at):
            wording, match, match_again = found
            # Its neighbours are mostly written alike.
            while match:
                begin, at = at, match.end()
                if at - begin > LONGEST_PLAIN:
                    return
                yield wording.layout, match.groups(), at
                match = match_again(text, at)

    def _first_match(self, text: str, at: int) -> tuple[Wording, re.Match[str] | None, Matcher] | None:
        for place, wording in enumerate(self._wordings):
            assert wording.match is not None
            if match := wording.match(text, at):
                if place:
                    self._wordings = [wording, *(one for one in self._wordings if one is not wording)]
                return wording, match, wording.match
        return None


def of_text(record: bytes) -> tuple[Wording, Texts] | None:
    """Wording and texts of a record, from ``<record>`` to ``</record>``; ``None`` for one that is not plain.

    Bounds: ``LONGEST_PLAIN`` and 100 elements.
    """
    pieces = _cut(record)
    wording = _wording(tuple(pieces[1::2])) if pieces else None
    return (wording, wording.texts(pieces)) if wording and pieces else None


def element_of_text(part: bytes, depth: int) -> Element | None:
    """A whole element, as the parser would make it but for namespaces; ``None`` for one that is not plain.

    Bounds: ``LONGEST_PLAIN``, 100 elements and ``depth``, deeper than which there are no elements in it.
    """
    pieces = _cut(part)
    skeleton = _skeleton(tuple(pieces[1::2])) if pieces else None
    if skeleton is None or pieces is None or skeleton.depth > depth:
        return None
    element = skeleton.element.__deepcopy__({})
    for one, at in zip(element.iter(), skeleton.texts_at, strict=True):
        one.text = pieces[at]
    return element


def _cut(part: bytes) -> list[str] | None:
    """Texts and tags in turn: every second piece is what stood between brackets. ``None`` where not all is plain."""
    if b"\r" in part:
        part = part.replace(b"\r\n", b"\n")
    if len(part) > LONGEST_PLAIN or part.translate(None, _PLAIN) or part.count(b"<") != part.count(b">"):
        return None
    return part.replace(b">", b"<").decode("ascii").split("<")


@dataclass(frozen=True, slots=True)
class _Skeleton:
    """An element without texts, how deep it is, and at which pieces the texts of its elements stand."""

    element: Element
    depth: int
    texts_at: tuple[int, ...]


@lru_cache(maxsize=256)
def _skeleton(tags: tuple[str, ...]) -> _Skeleton | None:
    """What a sequence of tags makes, if it makes an element.

    That it does is for the parser to say; here it sees them without their texts.
    """
    if not 2 <= len(tags) <= 2 * MOST_ELEMENTS or any(":" in tag or tag[:1] in "!?" for tag in tags):
        return None
    try:
        element = fromstring("".join([f"<{tag}>" for tag in tags]))  # noqa: S314 - no document type can be in it
    except (ParseError, ValueError):
        return None
    # The last piece is always empty, and so is the text of an element that has no end tag of its own.
    texts_at = [-1 if tag.endswith("/") else 2 * at + 2 for at, tag in enumerate(tags) if not tag.startswith("/")]
    return _Skeleton(element, _depth(element), tuple(texts_at))


def _depth(element: Element) -> int:
    return 1 + max(map(_depth, element), default=0)


@lru_cache(maxsize=256)
def _wording(tags: tuple[str, ...]) -> Wording | None:
    skeleton = _skeleton(tags)
    if skeleton is None or len(skeleton.texts_at) < 2:
        return None
    pick: Callable[[Sequence[str]], Any] = itemgetter(*skeleton.texts_at)
    return Wording(tags, of_element(skeleton.element)[0], pick)


def _pattern(tags: tuple[str, ...]) -> str:
    """Matches blanks and a record with these tags; its groups are the texts of the elements.

    Beside the tags there may be blanks only, but in elements without children. Every part ends where a bracket begins
    and never gives anything back, so matching is linear.
    """
    parts = [_BLANKS]
    for tag, following in zip(tags, (*tags[1:], "/"), strict=True):
        parts.append(f"<{re.escape(tag)}>")
        if tag.startswith("/"):
            parts.append(_BLANKS)
        elif tag.endswith("/"):
            parts.append(f"(){_BLANKS}")
        else:
            parts.append(_PLAIN_TEXT if following == f"/{tag.split()[0]}" else f"({_BLANKS})")
    return "".join(parts[:-1])  # nothing behind the last tag
