"""Macro-strings and domain-specs (RFC 7208 sections 7.1-7.3): reading them, and expanding them for one message.

::

    macro-string   = *( macro-expand / macro-literal )
    macro-expand   = ( "%{" macro-letter transformers *delimiter "}" ) / "%%" / "%_" / "%-"
    macro-literal  = %x21-24 / %x26-7E
    macro-letter   = "s" / "l" / "o" / "d" / "i" / "p" / "h" / "c" / "r" / "t" / "v"
    transformers   = *DIGIT [ "r" ]
    delimiter      = "." / "-" / "+" / "," / "/" / "_" / "="
    domain-spec    = macro-string domain-end
    domain-end     = ( "." toplabel [ "." ] ) / macro-expand
    toplabel       = ( *alphanum ALPHA *alphanum ) / ( 1*alphanum "-" *( alphanum / "-" ) alphanum )

Only the explanation text itself (``explain-string``) may hold spaces and the letters c, r and t.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import quote

from mailguard.names import MAX_NAME_OCTETS, DomainName, escape_label, name

MACRO_LETTERS: Final = frozenset("slodiphv")
EXPLANATION_LETTERS: Final = MACRO_LETTERS | frozenset("crt")

_EXPAND = re.compile(r"%(?:\{([A-Za-z])([0-9]*)([rR]?)([.\-+,/_=]*)\}|([%_-]))")
_SPECIAL: Final = {"%": "%", "_": " ", "-": "%20"}
_LITERAL = re.compile(r"[!-$&-~]*")
_LITERAL_WITH_SPACES = re.compile(r"[ -$&-~]*")
_TOPLABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")
_PLAIN_NAME = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")


class MacroFault(StrEnum):
    """Why a text is no macro-string or no domain-spec."""

    BAD_MACRO = "bad-macro"  # "%" that begins no macro, an unknown letter, or a zero number of parts
    EXPLANATION_ONLY = "explanation-only-macro"  # %{c}, %{r} or %{t} outside an explanation
    FORBIDDEN_CHARACTER = "forbidden-character"  # not a visible ASCII character
    EMPTY = "empty-domain"  # nothing where a domain-spec must stand
    BAD_DOMAIN = "bad-domain"  # does not end in a dot and a top-level label, or in a macro


@dataclass(frozen=True, slots=True)
class Macro:
    """One ``%{...}``."""

    letter: str  # lower case
    url_escaped: bool  # the letter was upper case (section 7.3)
    parts: int | None  # right-hand parts to keep; None keeps all
    reverse: bool
    delimiters: str  # "." where none was given


@dataclass(frozen=True, slots=True)
class MacroError:
    """Where a text stops being what it should be; ``offset`` counts characters from its start."""

    fault: MacroFault
    offset: int


@dataclass(frozen=True, slots=True)
class MacroString:
    """A macro-string: literal pieces (already decoded) and macros, in order."""

    text: str
    pieces: tuple[str | Macro, ...]

    @property
    def letters(self) -> frozenset[str]:
        """The macro letters in use, lower case."""
        return frozenset(piece.letter for piece in self.pieces if isinstance(piece, Macro))


def parse_macro_string(text: str, *, explanation: bool = False) -> MacroString | MacroError:
    """Read a macro-string; with ``explanation`` an explain-string, which may hold spaces and the letters c, r, t."""
    literal = _LITERAL_WITH_SPACES if explanation else _LITERAL
    letters = EXPLANATION_LETTERS if explanation else MACRO_LETTERS
    pieces: list[str | Macro] = []
    position = 0
    while position < len(text):
        if text[position] != "%":
            run = literal.match(text, position)
            if run is None or run.end() == position:
                return MacroError(MacroFault.FORBIDDEN_CHARACTER, position)
            pieces.append(run[0])
            position = run.end()
            continue
        match = _EXPAND.match(text, position)
        if match is None:
            return MacroError(MacroFault.BAD_MACRO, position)
        piece = _SPECIAL[match[5]] if match[5] else _macro(match, letters)
        if isinstance(piece, MacroFault):
            return MacroError(piece, position)
        pieces.append(piece)
        position = match.end()
    return MacroString(text, tuple(pieces))


def _macro(match: re.Match[str], letters: frozenset[str]) -> Macro | MacroFault:
    letter = match[1].lower()
    if letter not in letters:
        return MacroFault.EXPLANATION_ONLY if letter in EXPLANATION_LETTERS else MacroFault.BAD_MACRO
    # Section 7.3: the number of parts MUST be nonzero. Four digits are more than any name has parts.
    parts = int(match[2][-4:]) if match[2] else None
    if parts == 0:
        return MacroFault.BAD_MACRO
    return Macro(letter, match[1].isupper(), parts, bool(match[3]), match[4] or ".")


def parse_domain_spec(text: str) -> MacroString | MacroError:
    """Read a domain-spec: a macro-string that ends like a domain name, or in a macro."""
    if not text:
        return MacroError(MacroFault.EMPTY, 0)
    parsed = parse_macro_string(text)
    if isinstance(parsed, MacroString) and not _ends_well(parsed):
        return MacroError(MacroFault.BAD_DOMAIN, 0)
    return parsed


def _ends_well(parsed: MacroString) -> bool:
    last = parsed.pieces[-1]
    if isinstance(last, Macro) or parsed.text.endswith(("%%", "%_", "%-")):
        return True
    before, dot, label = last.removesuffix(".").rpartition(".")
    # A name of one label is no domain-spec, unless a macro stands before its dot.
    if not dot or not (before or len(parsed.pieces) > 1):
        return False
    return _TOPLABEL.fullmatch(label) is not None and not label.isdigit()


def expand(string: MacroString, values: Mapping[str, str]) -> str:
    """Put values in for the macros. ``values`` maps each letter in use to its text; KeyError for one that lacks."""
    return "".join(
        piece if isinstance(piece, str) else _expand_one(piece, values[piece.letter]) for piece in string.pieces
    )


def _expand_one(macro: Macro, value: str) -> str:
    parts = re.split(f"[{re.escape(macro.delimiters)}]", value)
    if macro.reverse:
        parts.reverse()
    if macro.parts is not None:
        parts = parts[-macro.parts :]
    joined = ".".join(parts)
    # Section 7.3: upper case means URL escaping of everything outside RFC 3986's "unreserved".
    return quote(joined, safe="-._~") if macro.url_escaped else joined


def target_name(text: str) -> DomainName:
    """The domain name that an expanded domain-spec means; ask ``is_askable`` before asking for it.

    Section 7.3: when longer than 253 characters, labels are dropped from the left until it fits.
    """
    text = text.removesuffix(".")
    while len(text) > MAX_NAME_OCTETS and "." in text:
        text = text.partition(".")[2]
    lowered = text.lower()
    if _PLAIN_NAME.fullmatch(lowered):
        return name(lowered)
    return DomainName(".".join(escape_label(label.encode("utf-8", "replace")) for label in lowered.split(".")))
