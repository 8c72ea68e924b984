"""JSON from people who meant well: read as it stands, else mended where a person would see what was meant."""

from __future__ import annotations

import json
import re
from typing import Any, Final

_DANGLING_COMMA: Final = re.compile(r",(?=\s*[}\]])")
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*+"|[{}\[\],]', re.DOTALL)
_WHOLE: Final = 1_000_000_000_000_000_000


class NoJson(Exception):
    """Nobody could say what was meant."""


def documents(text: str, most: int) -> tuple[list[Any], str]:
    """The values in a text, at most ``most`` of them, and what was wrong (empty: nothing; else ``mended``, ``cut``).

    Raises NoJson. Linear in the text; the caller bounds its length.
    """
    found: list[Any] = []
    at = 0
    while at < len(text) and len(found) < most:
        try:
            value, at = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            if found:
                return found, "mended"
            return _mended(text[at:])
        found.append(value)
        at = len(text) - len(text[at:].lstrip())
    return found, ""


def _mended(text: str) -> tuple[list[Any], str]:
    for kind, mended in (("mended", _DANGLING_COMMA.sub("", text)), ("cut", _closed(text))):
        try:
            return [_DECODER.raw_decode(mended)[0]], kind
        except (ValueError, RecursionError):
            continue
    raise NoJson


def _closed(text: str) -> str:
    """A text that was cut short, up to the last comma or end of a value, with what is open closed."""
    open_brackets: list[str] = []
    cut, closing = 0, ""
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if mark in "{[":
            open_brackets.append("}" if mark == "{" else "]")
        elif mark in "}]":
            if not open_brackets or open_brackets.pop() != mark:
                break
            cut, closing = token.end(), ""
        elif mark == ",":
            cut, closing = token.start(), ""
        else:
            continue
        if not open_brackets:
            break
        if mark in "}],":
            closing = "".join(reversed(open_brackets))
    return _DANGLING_COMMA.sub("", text[:cut]) + closing


def _integer(digits: str) -> int:
    """A whole number; far too large ones (which cost the square of their length) become one that is too large."""
    return int(digits) if len(digits) < 20 else _WHOLE


_DECODER: Final = json.JSONDecoder(strict=False, parse_int=_integer, parse_constant=lambda _: None)
