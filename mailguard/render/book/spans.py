"""Spans as HTML, escaped here and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from typing import Final

from markupsafe import Markup, escape

from mailguard.guidebook.blocks import Kind, Span
from mailguard.guidebook.readings import ruby
from mailguard.render.safe import visible

_NOT_IN_ANCHORS = re.compile(r"[^A-Za-z0-9_.-]+")
_SOURCE = re.compile(r"https?://[^\s\"'<>\\]+")


def anchor(text: str) -> str:
    """A text as an id in HTML; ids and the links to them go through here alike."""
    return _NOT_IN_ANCHORS.sub("-", text.removeprefix("#")).strip("-") or "top"


def is_source(target: str) -> bool:
    """Whether a link leads to an address on the web that may be printed and clicked on as it stands."""
    return _SOURCE.fullmatch(target) is not None


class SpansToHtml:
    """Rich text as HTML.

    Args:
        anchors: What exists in this book. A link to anything else within the guide is shown as bare words.
        readings: Whether every word of ours gets its reading, not only those that ask for it.
        paper: Whether it is for the PDF engine, which knows no ruby: there a reading is a small block on its word.
    """

    def __init__(self, anchors: Collection[str], *, readings: bool = False, paper: bool = False) -> None:
        self._anchors = anchors
        self._own: Callable[[str], str] = self._with_readings if readings else escape
        self._ruby = _stacked if paper else _ruby
        self._forms: Final[dict[Kind, Callable[[Span], str]]] = {
            Kind.TEXT: lambda span: self._own(span.text),
            Kind.STRONG: lambda span: f"<strong>{self._own(span.text)}</strong>",
            Kind.FACT: lambda span: f"<bdi>{escape(visible(span.text))}</bdi>",
            Kind.CODE: lambda span: f"<code>{escape(visible(span.text))}</code>",
            Kind.LINK: self._link,
            Kind.RUBY: lambda span: self._ruby(span.text, span.target),
        }

    def __call__(self, rich: Iterable[Span]) -> Markup:
        """The spans one after the other."""
        return Markup("".join(self._forms[span.kind](span) for span in rich))  # noqa: S704 - every form escapes

    def _with_readings(self, text: str) -> str:
        return "".join(self._ruby(word, reading) if reading else escape(word) for word, reading in ruby(text))

    def _link(self, span: Span) -> str:
        text = self._own(span.text)
        if span.target.startswith("#") and anchor(span.target) in self._anchors:
            return f'<a href="#{anchor(span.target)}">{text}</a>'
        if is_source(span.target):
            return f'<a href="{escape(span.target)}" rel="noreferrer">{text}</a>'
        return text


def _ruby(word: str, reading: str) -> str:
    return f"<ruby>{escape(word)}<rp>（</rp><rt>{escape(reading)}</rt><rp>）</rp></ruby>"


def _stacked(word: str, reading: str) -> str:
    return f'<span class="stack"><span>{escape(reading)}</span><span>{escape(word)}</span></span>'
