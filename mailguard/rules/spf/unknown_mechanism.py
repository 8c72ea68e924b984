"""A word that is no SPF mechanism."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Rule, Severity
from mailguard.rules.spf._select import FaultyTerms, find_faults
from mailguard.spf.terms import Reason


class UnknownMechanism(FaultyTerms):
    """The record uses a word that SPF does not know, like ``ip:`` for ``ip4:``, so receivers discard all of it."""

    rule = Rule("SPF005", "unknown-mechanism", Severity.HIGH, cites=("RFC 7208 4.6.1", "RFC 7208 5"))


def check(dossier: Dossier) -> Iterator[UnknownMechanism]:
    """Unknown modifiers are ignored by receivers; unknown mechanisms are not."""
    return find_faults(dossier, UnknownMechanism, lambda reason: reason is Reason.UNKNOWN_MECHANISM)
