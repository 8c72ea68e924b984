"""Quotes or backslashes that a DNS panel took for part of the value."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Rule, Severity
from mailguard.rules.spf._select import FaultyTerms, find_faults
from mailguard.spf.terms import Reason


class QuoteOrBackslash(FaultyTerms):
    """Quotation marks or backslashes stand inside the published value, so receivers discard the record."""

    rule = Rule("SPF007", "quote-or-backslash", Severity.HIGH, cites=("RFC 7208 4.6", "RFC 7208 12"))


def check(dossier: Dossier) -> Iterator[QuoteOrBackslash]:
    """A quote in front of ``v=spf1`` is another matter: then receivers do not see a record at all."""
    return find_faults(dossier, QuoteOrBackslash, lambda reason: reason in (Reason.QUOTE, Reason.BACKSLASH))
