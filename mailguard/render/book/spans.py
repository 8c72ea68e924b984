"""Spans as HTML, escaped here and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from typing import Final

from markupsafe import Markup, escape

from mailguard.guidebook.blocks import Kind, Span
from mailguard.render.safe import visible

_NOT_IN_ANCHORS = re.compile(r"[^A-Za-z0-9_.-]+")
_SOURCE = re.compile(r"https?://[^\s\"'<>\\]+")


def anchor(text: str) -> str:
    """A text as an id in HTML; ids and the links to them go through here alike."""
    return _NOT_IN_ANCHORS.sub("-", text.removeprefix("#")).strip("-") or "top"


class SpansToHtml:
    """Rich text as HTML.

    Args:
        anchors: What exists in this book. A link to anything else within the guide is shown as bare words.
        ruby: Whether readings stand above their words. Else they follow in brackets: the PDF engine knows no ruby.
    """

    def __init__(self, anchors: Collection[str], *, ruby: bool) -> None:
        self._anchors = anchors
        self._forms: Final[dict[Kind, Callable[[Span], str]]] = {
            Kind.TEXT: lambda span: escape(span.text),
            Kind.STRONG: lambda span: f"<strong>{escape(span.text)}</strong>",
            Kind.FACT: lambda span: f"<bdi>{escape(visible(span.text))}</bdi>",
            Kind.CODE: lambda span: f"<code>{escape(visible(span.text))}</code>",
            Kind.LINK: self._link,
            Kind.RUBY: _ruby if ruby else _bracketed,
        }

    def __call__(self, rich: Iterable[Span]) -> Markup:
        """The spans one after the other."""
        return Markup("".join(self._forms[span.kind](span) for span in rich))  # noqa: S704 - every form escapes

    def _link(self, span: Span) -> str:
        text = escape(span.text)
        if span.target.startswith("#") and anchor(span.target) in self._anchors:
            return f'<a href="#{anchor(span.target)}">{text}</a>'
        if _SOURCE.fullmatch(span.target):
            return f'<a href="{escape(span.target)}" rel="noreferrer">{text}</a>'
        return text


def _ruby(span: Span) -> str:
    return f"<ruby>{escape(span.text)}<rp>（</rp><rt>{escape(span.target)}</rt><rp>）</rp></ruby>"


def _bracketed(span: Span) -> str:
    return f'{escape(span.text)}<span class="reading">（{escape(span.target)}）</span>'
