"""Markdown of our own as blocks: rule pages, and the long pages of the guide.

Facts are put in as spans where their placeholders stand; they never pass through Markdown. What Markdown itself makes
of our texts is kept to what blocks know: headings, paragraphs, lists, tables, code, weight. HTML in them is plain text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from mailguard.guidebook.blocks import (
    Block,
    Bullets,
    Heading,
    Kind,
    Paragraph,
    Rich,
    Span,
    Table,
    Verbatim,
    code,
    fact,
    plain,
)
from mailguard.guidebook.marks import own_code
from mailguard.guides import fill

# Private-use characters: no page of ours has them, and facts never pass through Markdown.
_OPEN, _CLOSE = "\ue000", "\ue001"
_MARK: Final = re.compile(f"{_OPEN}([0-9]+){_CLOSE}")


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table")


@lru_cache(maxsize=4096)
def _parse(text: str) -> tuple[Token, ...]:
    return tuple(_markdown().parse(text))


@cache
def load_page(name: str, language: str) -> str:
    """A long page, ``guides/pages/<language>/<name>.md``. Raises FileNotFoundError when there is none."""
    return (files("mailguard") / "guides" / "pages" / language / f"{name}.md").read_text("utf-8")


def page_blocks(text: str, facts: Mapping[str, object], language: str) -> tuple[Block, ...]:
    """Markdown with ``{placeholders}`` as blocks. Raises KeyError for a placeholder without a fact."""
    values: list[str] = []

    def mark(value: str) -> str:
        values.append(value)
        return f"{_OPEN}{len(values) - 1}{_CLOSE}"

    # Lists are filled in item by item, each its own mark, so the pages' tokens are the same for every domain of a rule
    # with as many items: the parser is asked once for all of them.
    tokens = _parse(fill(text, facts, language, escape=mark))
    return tuple(_Reader(tokens, values, language).blocks())


def page_inline(text: str, facts: Mapping[str, object], language: str) -> Rich:
    """One paragraph of Markdown as spans."""
    blocks = page_blocks(text, facts, language)
    return blocks[0].text if blocks and isinstance(blocks[0], Paragraph) else ()


class _Reader:
    """Walks the tokens of one page."""

    def __init__(self, tokens: Sequence[Token], values: Sequence[str], language: str) -> None:
        self._tokens = tokens
        self._values = values
        self._join = "" if language == "ja" else " "
        self._next = 0

    def blocks(self, until: str = "") -> Iterator[Block]:
        while self._next < len(self._tokens):
            token = self._tokens[self._next]
            self._next += 1
            if token.type == until:
                return
            block = self._block(token)
            if block is not None:
                yield block

    def _block(self, token: Token) -> Block | None:
        match token.type:
            case "heading_open":
                return Heading(self._rich_then("heading_close"), level=max(1, int(token.tag[1]) - 1))
            case "paragraph_open":
                return Paragraph(self._rich_then("paragraph_close"))
            case "bullet_list_open":
                return Bullets(tuple(self._items("bullet_list_close")))
            case "ordered_list_open":
                return Bullets(tuple(self._items("ordered_list_close")), ordered=True)
            case "fence" | "code_block":
                return Verbatim(plain(self._marked(token.content.rstrip("\n"), Kind.CODE)))
            case "table_open":
                return self._table()
            case _:
                return None

    def _items(self, until: str) -> Iterator[tuple[Block, ...]]:
        while self._tokens[self._next].type != until:
            self._next += 1  # list_item_open
            yield tuple(self.blocks("list_item_close"))
        self._next += 1

    def _table(self) -> Table:
        rows: list[tuple[Rich, ...]] = []
        row: list[Rich] = []
        while (token := self._tokens[self._next]).type != "table_close":
            self._next += 1
            if token.type == "tr_open":
                row = []
            elif token.type == "inline":
                row.append(tuple(self._spans(token.children or [])))
            elif token.type == "tr_close":
                rows.append(tuple(row))
        self._next += 1
        return Table(rows[0], tuple(rows[1:]))

    def _rich_then(self, close: str) -> Rich:
        spans: list[Span] = []
        while (token := self._tokens[self._next]).type != close:
            self._next += 1
            spans.extend(self._spans(token.children or []))
        self._next += 1
        return tuple(spans)

    def _spans(self, children: Sequence[Token]) -> Iterator[Span]:
        weight, target = 0, ""
        for token in children:
            match token.type:
                case "strong_open" | "em_open":
                    weight += 1
                case "strong_close" | "em_close":
                    weight -= 1
                case "link_open":
                    target = str(token.attrs.get("href", ""))
                case "link_close":
                    target = ""
                case "softbreak" | "hardbreak":
                    yield from [Span(self._join)] if self._join else []
                case "code_inline":
                    yield self._code(token.content)
                case "text" | "text_special":
                    kind = Kind.LINK if target else Kind.STRONG if weight else Kind.TEXT
                    yield from (
                        Span(s.text, s.kind, target if s.kind is Kind.LINK else "")
                        for s in self._marked(token.content, kind)
                    )

    def _code(self, text: str) -> Span:
        """With a fact in it, it is a stranger's text too."""
        if _MARK.search(text):
            return Span(plain(self._marked(text, Kind.CODE)), Kind.CODE)
        return own_code(text)

    def _marked(self, text: str, kind: Kind) -> Iterator[Span]:
        """Our words and, between them, the facts."""
        for index, piece in enumerate(_MARK.split(text)):
            if index % 2:
                value = self._values[int(piece)]
                yield code(value) if kind is Kind.CODE else fact(value)
            elif piece:
                yield Span(piece, kind)
