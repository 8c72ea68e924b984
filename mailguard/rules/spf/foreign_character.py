"""A character that must not stand in a record: tabs, full-width letters, typographic quotes and dashes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mailguard.dossier import Dossier
from mailguard.rules.base import Rule, Severity
from mailguard.rules.spf._select import FaultyTerms, find_faults
from mailguard.spf.terms import Reason

_REASONS: Final = frozenset(
    {
        Reason.TAB,
        Reason.CONTROL,
        Reason.OTHER_BLANK,
        Reason.SMART_QUOTE,
        Reason.DASH,
        Reason.FULL_WIDTH,
        Reason.NON_ASCII,
    }
)


class ForeignCharacter(FaultyTerms):
    """Only visible ASCII characters and plain blanks are allowed; a look-alike makes receivers discard the record."""

    rule = Rule("SPF006", "foreign-character", Severity.HIGH, cites=("RFC 7208 4.6.1", "RFC 7208 12"))


def check(dossier: Dossier) -> Iterator[ForeignCharacter]:
    """Letters of another script inside a domain name have a rule of their own."""
    return find_faults(dossier, ForeignCharacter, lambda reason: reason in _REASONS)
