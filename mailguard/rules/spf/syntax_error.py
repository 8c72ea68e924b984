"""A term that no receiver can read, for a reason that has no rule of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mailguard.dossier import Dossier
from mailguard.rules.base import Rule, Severity
from mailguard.rules.spf._select import FaultyTerms, find_faults
from mailguard.spf.terms import Reason

TOLD_ELSEWHERE: Final = frozenset(
    {
        Reason.UNKNOWN_MECHANISM,
        Reason.TAB,
        Reason.CONTROL,
        Reason.OTHER_BLANK,
        Reason.SMART_QUOTE,
        Reason.DASH,
        Reason.FULL_WIDTH,
        Reason.NON_ASCII,
        Reason.QUOTE,
        Reason.BACKSLASH,
        Reason.MISSING_BLANK,
        Reason.COLON_AFTER_MODIFIER,
        Reason.U_LABEL,
        Reason.ADDRESS_FOR_NAME,
    }
)


class SyntaxFault(FaultyTerms):
    """Part of the record cannot be read, so receivers discard all of it."""

    rule = Rule("SPF003", "syntax-error", Severity.HIGH, cites=("RFC 7208 4.6", "RFC 7208 12"))


def check(dossier: Dossier) -> Iterator[SyntaxFault]:
    """Bad addresses, prefixes, domain names, macros, arguments, and repeated redirect or exp."""
    return find_faults(dossier, SyntaxFault, lambda reason: reason not in TOLD_ELSEWHERE)
