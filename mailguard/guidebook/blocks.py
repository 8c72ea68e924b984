"""What a guide is made of: parts of blocks of spans, in one language, without layout.

Text of strangers (from DNS, from reports, from a list of clinics) only ever becomes a span of kind ``FACT`` or
``CODE``, with hidden characters written out. Renderers escape every span for their own form; none is ever read as
markup.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from mailguard.render.safe import visible


class Kind(StrEnum):
    """What a span is."""

    TEXT = "text"  # our words
    STRONG = "strong"  # our words, with weight
    FACT = "fact"  # a value, perhaps a stranger's
    CODE = "code"  # a name, a record, something to copy: monospace
    LINK = "link"  # our words that lead to ``target``: another part's anchor (``#...``), or a source that we name
    RUBY = "ruby"  # our words with their reading, which is ``target``


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text of one kind."""

    text: str
    kind: Kind = Kind.TEXT
    target: str = ""


Rich = tuple[Span, ...]
"""Text as it is shown."""


def fact(value: object) -> Span:
    """A stranger's value, with hidden characters written out."""
    return Span(visible(str(value)), Kind.FACT)


def code(value: object) -> Span:
    """A stranger's or our own name or record in monospace."""
    return Span(visible(str(value)), Kind.CODE)


def plain(rich: Iterable[Span]) -> str:
    """The bare text."""
    return "".join(span.text for span in rich)


class Tone(StrEnum):
    """How a block is meant; always shown by symbol and word too, never by colour alone."""

    GOOD = "good"
    CARE = "care"
    ACT = "act"
    UNKNOWN = "unknown"  # not answered, so nothing is concluded
    QUIET = "quiet"


SYMBOLS: Final = {Tone.GOOD: "○", Tone.CARE: "△", Tone.ACT: "×", Tone.UNKNOWN: "？", Tone.QUIET: "・"}
"""Symbols that every usual Japanese font has (measured), readable in grey."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading within a part; level 1 is the part's own first level (the part's title stands above it)."""

    text: Rich
    level: int = 1
    anchor: str = ""


class Side(StrEnum):
    """Where on its line a paragraph stands, in the manner of letters."""

    START = "start"
    CENTRE = "centre"
    END = "end"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph. ``QUIET`` is small print, ``lead`` larger. The date of a letter and its sender stand at the end."""

    text: Rich
    tone: Tone | None = None
    lead: bool = False
    side: Side = Side.START


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list, numbered where the order matters. An item is a run of blocks."""

    items: tuple[tuple[Block, ...], ...]
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table. The first cell of a row is its head where ``row_heads``; ``numeric`` columns are aligned to the right.

    ``widths`` are shares of the width in percent, where the columns should not be as wide as their text.
    """

    head: tuple[Rich, ...]
    rows: tuple[tuple[Rich, ...], ...]
    caption: Rich = ()
    numeric: frozenset[int] = frozenset()
    row_heads: bool = True
    widths: tuple[int, ...] = ()
    form: bool = False  # has cells to be filled in by hand: rows are higher


@dataclass(frozen=True, slots=True)
class Labelled:
    """Texts of strangers or records under a word of ours, each on lines of its own, to copy."""

    label: Rich
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """One DNS record set before and after, to be copied character by character.

    ``split`` are the same values cut into strings of at most 255 octets, for panels that want that. ``qr`` is the text
    of the QR code, empty for none: the panel may be open on another machine.
    """

    name: str
    rrtype: str
    place: Rich  # "name and type:"
    before: Labelled | None
    after: Labelled
    split: Labelled | None = None
    qr: str = ""
    qr_label: Rich = ()


@dataclass(frozen=True, slots=True)
class Signal:
    """One light of page one: symbol, word and colour say the same."""

    tone: Tone
    word: Rich
    title: Rich
    text: Rich


@dataclass(frozen=True, slots=True)
class Signals:
    """The lights beside each other."""

    signals: tuple[Signal, ...]


@dataclass(frozen=True, slots=True)
class Series:
    """One row of numbers of a chart, None where nothing was told. ``pattern`` 0-5 chooses colour and hatch together."""

    label: Rich
    values: tuple[int | None, ...]
    pattern: int = 0


@dataclass(frozen=True, slots=True)
class Chart:
    """Stacked bars, one bar per label; drawn by ``render/book/chart.py``. The numbers stand beside it as a table."""

    title: Rich
    alternative: Rich  # what a person who does not see it should know
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    numbers: Table
    horizontal: bool = False
    gap: Rich = ()  # what it means that no row has a value


@dataclass(frozen=True, slots=True)
class Blank:
    """A field to fill in by hand, ``lines`` high. ``value`` is filled in already."""

    label: Rich
    value: Rich = ()
    hint: Rich = ()
    lines: int = 1


@dataclass(frozen=True, slots=True)
class Form:
    """Fields to fill in."""

    blanks: tuple[Blank, ...]


@dataclass(frozen=True, slots=True)
class Callout:
    """Blocks that stand out, with a title."""

    title: Rich
    blocks: tuple[Block, ...]
    tone: Tone = Tone.QUIET


@dataclass(frozen=True, slots=True)
class Card:
    """One finding, task or letter: a titled run of blocks that begins on a page of its own where ``page``."""

    title: Rich
    blocks: tuple[Block, ...]
    tone: Tone = Tone.QUIET
    anchor: str = ""
    page: bool = False


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Text to be copied as it stands, line by line."""

    text: str


@dataclass(frozen=True, slots=True)
class PageBreak:
    """What follows begins on a new page."""


Block = Heading | Paragraph | Bullets | Table | Record | Signals | Chart | Form | Callout | Card | Verbatim | PageBreak


class Reader(StrEnum):
    """For whom a part is."""

    DIRECTOR = "director"
    IT = "it"
    VENDOR = "vendor"
    STAFF = "staff"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the guide, with a bookmark of its own. ``id`` names its partial template too."""

    id: str
    title: Rich
    blocks: tuple[Block, ...]
    readers: frozenset[Reader] = frozenset(Reader)
    one_page: bool = False  # must fit one A4 page


@dataclass(frozen=True, slots=True)
class Imprint:
    """Who sends the guide: of the consultant's brand folder, else empty. Not a stranger's text."""

    name: str = ""
    lines: tuple[str, ...] = ()
    closing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Book:
    """A guide in one language. ``made_at`` and ``as_of`` are in UTC; renderers show Japan's time."""

    language: str
    title: Rich
    domain: str
    made_at: datetime
    as_of: datetime
    parts: tuple[Part, ...]
    imprint: Imprint = field(default_factory=Imprint)
    notice: Rich = ()
    furigana: bool = False
    number: str = ""  # the same audit always has the same number
