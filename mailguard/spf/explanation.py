"""Whether an explanation can be used (RFC 7208 section 6.2)."""

from __future__ import annotations

from collections.abc import Sequence

from mailguard.spf.macro import MacroString, parse_macro_string


def explanation_template(texts: Sequence[bytes]) -> MacroString | None:
    """The explain-string among the TXT records at exp's target: exactly one, ASCII, without faults in its macros."""
    if len(texts) != 1 or not texts[0].isascii():
        return None
    parsed = parse_macro_string(texts[0].decode("ascii"), explanation=True)
    return parsed if isinstance(parsed, MacroString) else None


def is_usable_explanation(texts: Sequence[bytes]) -> bool:
    """Whether receivers can show the explanation."""
    return explanation_template(texts) is not None
