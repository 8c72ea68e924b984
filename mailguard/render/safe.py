"""Making text from strangers harmless, one function per output form.

Everything that comes out of DNS or a report may be an attack on whoever reads it: escape sequences for terminals,
right-to-left overrides, formulas for spreadsheets, markup for browsers. It is shown, never obeyed.
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any, Final

_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_FORMULA: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|<>~&:@-]|(?<=www)\.)", re.IGNORECASE)
_HIDDEN_IN_JSON = re.compile(
    "[\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0001-\U000e007f]"
)
"""Control and format characters, and halves of surrogate pairs, that JSON lets stand as they are."""


def visible(text: str) -> str:
    """Text in which control, format (bidi) and unassigned characters are written out as ``\\u{...}``."""
    if text.isprintable():  # nothing hidden, and no blank but the usual one
        return text
    return "".join(rf"\u{{{ord(char):x}}}" if unicodedata.category(char) in _HIDDEN else char for char in text)


def clip(text: str, limit: int = 500) -> str:
    """At most ``limit`` characters, with … where more was there: nobody reads the 64 KB that a TXT record can hold."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def brief(text: str, limit: int = 500) -> str:
    """Visible text of at most ``limit`` characters of what was published."""
    return visible(clip(text, limit))


def json_text(value: Any, *, ascii_only: bool = False, indent: int | None = None) -> str:
    """JSON in which control and format characters are written as escapes: the same data, harmless on a terminal.

    ``ascii_only`` escapes everything else that is not ASCII too.
    """
    separators = None if indent else (",", ":")
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent, separators=separators)
    return _HIDDEN_IN_JSON.sub(lambda match: json.dumps(match[0])[1:-1], text)


def cell(text: str) -> str:
    """A spreadsheet cell that is never taken for a formula (a quote is put before =, +, - and @, full-width too)."""
    shown = visible(text.replace("\n", " "))
    return "'" + shown if shown.lstrip().startswith(_FORMULA) else shown


def markdown(text: str) -> str:
    """Text for Markdown prose: punctuation that could become markup, or an address to click on, is escaped."""
    return _MARKDOWN.sub(r"\\\1", visible(text))


def markdown_code(text: str) -> str:
    """Text for inside a Markdown code span, which knows no escapes: backticks and pipes are written out.

    No text at all is one blank, because two backticks in a row are not an empty span but the start of another.
    """
    return visible(text).replace("`", r"\u{60}").replace("|", r"\u{7c}") or " "
