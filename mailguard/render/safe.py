"""Making text from strangers harmless, one function per output form.

Everything that comes out of DNS or a report may be an attack on whoever reads it: escape sequences for terminals,
right-to-left overrides, formulas for spreadsheets, markup for browsers. It is shown, never obeyed.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_PLAIN = re.compile(r"[\x20-\x7e]*")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|<>~&-])")


def visible(text: str) -> str:
    """Text in which control, format (bidi) and unassigned characters are written out as ``\\u{...}``."""
    if _PLAIN.fullmatch(text):
        return text
    return "".join(rf"\u{{{ord(char):x}}}" if unicodedata.category(char) in _HIDDEN else char for char in text)


def cell(text: str) -> str:
    """A spreadsheet cell that is never taken for a formula (a quote is put before =, +, - and @)."""
    shown = visible(text.replace("\n", " "))
    return "'" + shown if shown.startswith(_FORMULA) else shown


def markdown(text: str) -> str:
    """Text for Markdown prose: punctuation that could become markup is escaped."""
    return _MARKDOWN.sub(r"\\\1", visible(text))


def markdown_code(text: str) -> str:
    """Text for inside a Markdown code span, which knows no escapes: backticks and pipes are written out."""
    return visible(text).replace("`", r"\u{60}").replace("|", r"\u{7c}")
