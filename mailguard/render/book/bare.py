"""Spans where there is no markup: in plain text, and in the files of office programs."""

from __future__ import annotations

from mailguard.guidebook.blocks import SYMBOLS, Kind, Span, Tone
from mailguard.render.book.spans import is_source
from mailguard.render.safe import visible


def span_text(span: Span) -> str:
    """A span's words, with the address behind a link and the reading of a word in brackets."""
    if span.kind is Kind.RUBY:
        return f"{visible(span.text)}（{visible(span.target)}）"
    if span.kind is Kind.LINK and is_source(span.target):
        return f"{visible(span.text)} ({span.target})"
    return visible(span.text)


def symbol(tone: Tone | None) -> str:
    """The symbol before a toned text, so that nothing is said by colour alone; nothing for a quiet tone."""
    return f"{SYMBOLS[tone]} " if tone and tone is not Tone.QUIET else ""
