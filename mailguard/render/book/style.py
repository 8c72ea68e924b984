"""Texts in style sheets: the running head of printed pages holds a stranger's domain."""

from __future__ import annotations

import re

from markupsafe import Markup

from mailguard.render.safe import visible

_HARMLESS = re.compile(r"[A-Za-z0-9]")
_COUNTERS = {"{page}": "counter(page)", "{pages}": "counter(pages)"}


def css_string(text: str) -> Markup:
    """A text as a quoted string. Every character but letters and digits of ASCII is written as its number."""
    written = (char if _HARMLESS.match(char) else f"\\{ord(char):x} " for char in visible(text))
    return Markup(f'"{"".join(written)}"')  # noqa: S704 - letters, digits and numbers


def page_string(words: str) -> Markup:
    """Words with ``{page}`` and ``{pages}`` as the content of a margin box, where pages are counted by the engine."""
    pieces = (piece for piece in re.split(r"(\{pages?\})", words) if piece)
    return Markup(" ".join(_COUNTERS.get(piece) or css_string(piece) for piece in pieces))  # noqa: S704 - see above
