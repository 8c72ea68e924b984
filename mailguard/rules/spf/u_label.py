"""A domain name in Japanese letters inside the record."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Rule, Severity
from mailguard.rules.spf._select import FaultyTerms, find_faults
from mailguard.spf.terms import Reason


class ULabel(FaultyTerms):
    """Names in another script must stand in their ``xn--`` form; otherwise receivers discard the record."""

    rule = Rule("SPF037", "u-label", Severity.HIGH, cites=("RFC 7208 4.3", "RFC 7208 12"))


def check(dossier: Dossier) -> Iterator[ULabel]:
    """The domain's own record only."""
    return find_faults(dossier, ULabel, lambda reason: reason is Reason.U_LABEL)
