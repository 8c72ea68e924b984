"""A book as one HTML file: no script, nothing fetched, for screens and for paper.

Templates hold layout only. ``base.html.j2`` is the page, ``blocks/<kind>.html.j2`` one block, ``parts/<id>.html.j2``
one part, with ``part.html.j2`` for those that have no template of their own. Blocks are rendered in the order of the
document, so a ``View`` can give headings the level that their place asks for: none is ever skipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, get_args

from markupsafe import Markup

from mailguard.guidebook.blocks import Block, Book, Callout, Card, Chart, Heading, Part, Rich, Tone, plain
from mailguard.guidebook.brand import PLAIN, Brand
from mailguard.guidebook.days import format_day
from mailguard.guidebook.texts import Texts
from mailguard.render.book.chart import chart_svg, data_url
from mailguard.render.book.head import facts_of
from mailguard.render.book.qr import qr_svg
from mailguard.render.book.spans import SpansToHtml, anchor
from mailguard.render.book.templates import check_size, environment_of, telling
from mailguard.render.safe import brief, visible

_CAPITALS = re.compile(r"(?<=[a-z])(?=[A-Z])")
_PART_LEVEL: Final = 2
_DEEPEST: Final = 6
_MOST_IN_HEAD: Final = 48
"""Characters of a domain in the running head; the whole stands on the first page."""


def kind_of(block: type) -> str:
    """The name of a kind of block, as templates and JSON have it: ``page_break``."""
    return _CAPITALS.sub("_", block.__name__).lower()


_TEMPLATES: Final = {kind: f"blocks/{kind_of(kind)}.html.j2" for kind in get_args(Block)}


class Medium(StrEnum):
    """What a page is made for. Both print; ``PAPER`` is what the PDF engine gets."""

    SCREEN = "screen"
    PAPER = "paper"


def render_html(book: Book, brand: Brand = PLAIN, *, medium: Medium = Medium.SCREEN, font: str = "") -> str:
    """One HTML file. ``font`` is a family that comes before ours."""
    with telling(brand.templates):
        return check_size(View(book, brand, medium, font).page(), brand.templates)


@dataclass(frozen=True, slots=True)
class Look:
    """What templates see of a brand: values, no paths."""

    name: str
    accent: str
    logo: str


class View:
    """What templates may ask for, beside the book itself. One for each rendering."""

    def __init__(self, book: Book, brand: Brand, medium: Medium, font: str) -> None:
        self.book = book
        self.medium = medium
        self.font = visible(font)
        self.texts = Texts(book.language)
        readings = book.furigana and book.language == "ja"
        self.rich = SpansToHtml(anchors_of(book), readings=readings, paper=medium is Medium.PAPER)
        self._look = Look(brand.name or book.imprint.name, brand.accent, brand.logo)
        self._environment = environment_of(brand.templates)
        self._depth = 0
        self._above: list[int] = []

    def page(self) -> str:
        """The whole file."""
        return self._environment.get_template("base.html.j2").render(view=self, book=self.book, brand=self._look)

    def part(self, part: Part) -> Markup:
        """A part, by its own template where there is one."""
        self._depth, self._above = 0, []
        template = self._environment.select_template([f"parts/{part.id}.html.j2", "part.html.j2"])
        return Markup(template.render(view=self, part=part, book=self.book, brand=self._look))  # noqa: S704 - autoescaped

    def blocks(self, blocks: Iterable[Block]) -> Markup:
        """Blocks one after the other."""
        return Markup("\n").join(self.block(block) for block in blocks)

    def block(self, block: Block) -> Markup:
        """One block, by the template of its kind."""
        template = self._environment.get_template(_TEMPLATES[type(block)])
        return Markup(template.render(view=self, block=block, book=self.book, brand=self._look))  # noqa: S704 - autoescaped

    def heading(self, level: int) -> str:
        """The element of a heading within a part or card: one level below the nearest higher one above."""
        wanted = self._depth + level
        while self._above and self._above[-1] >= wanted:
            self._above.pop()
        self._above.append(wanted)
        return f"h{min(_PART_LEVEL + len(self._above), _DEEPEST)}"

    def inside(self, card: Card) -> Markup:
        """A card's blocks; their headings stand below the card's own."""
        self._depth += 1
        try:
            return self.blocks(card.blocks)
        finally:
            self._depth -= 1

    def words(self, message: str, **facts: object) -> Markup:
        """Words of the layout, ``layout.<message>``."""
        return self.rich(self.texts(f"layout.{message}", **facts))

    def bare(self, rich: Rich) -> str:
        """Text for attributes and for the title of the window."""
        return visible(plain(rich))

    def facts(self) -> tuple[tuple[str, str], ...]:
        """Names and values of the head."""
        return facts_of(self.book, self.texts)

    def running_head(self) -> str:
        """What stands at the head of each page, on the left."""
        return f"{self.bare(self.book.title)}　{brief(self.book.domain, _MOST_IN_HEAD)}"

    def running_date(self) -> str:
        """What stands at the head of each page, on the right."""
        return f"{format_day(self.book.made_at, self.book.language)}　{visible(self.book.number)}"

    def contents(self) -> Iterator[tuple[str, str, tuple[tuple[str, str], ...]]]:
        """Parts with those of their cards that have a page of their own: anchor and bare title of each."""
        for part in self.book.parts:
            cards = (block for block in part.blocks if isinstance(block, Card) and block.anchor and block.page)
            titles = ((anchor(card.anchor), self.bare(card.title)) for card in cards)
            yield anchor(part.id), self.bare(part.title), tuple(titles)

    def tone(self, tone: Tone) -> Markup:
        """The symbol of a tone, drawn: fonts differ in theirs."""
        return Markup(self._environment.get_template("tone.html.j2").render(view=self, tone=tone))  # noqa: S704

    def chart(self, chart: Chart) -> str:
        """A chart as the address of its picture."""
        return data_url(chart_svg(chart, self.book.language, font=self.font))

    def qr(self, text: str, title: str) -> Markup:
        """A QR code, empty where the text is too long for one."""
        return Markup(qr_svg(text)).replace("<path", Markup("<title>{}</title><path").format(title), 1)  # noqa: S704


def anchors_of(book: Book) -> frozenset[str]:
    """All that a link within the book can lead to."""
    found = {anchor(part.id) for part in book.parts}
    found.update(anchor(name) for part in book.parts for name in _anchors(part.blocks))
    return frozenset(found)


def _anchors(blocks: Iterable[Block]) -> Iterator[str]:
    for block in blocks:
        if isinstance(block, Card | Heading) and block.anchor:
            yield block.anchor
        if isinstance(block, Card | Callout):
            yield from _anchors(block.blocks)
