"""``redirect:`` or ``exp:``, where ``=`` belongs."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Rule, Severity
from mailguard.rules.spf._select import FaultyTerms, find_faults
from mailguard.spf.terms import Reason


class ColonAfterModifier(FaultyTerms):
    """redirect and exp are written with ``=``; with a colon receivers discard the record."""

    rule = Rule("SPF009", "colon-after-modifier", Severity.HIGH, cites=("RFC 7208 4.6.1", "RFC 7208 6.1"))


def check(dossier: Dossier) -> Iterator[ColonAfterModifier]:
    """The domain's own record only."""
    return find_faults(dossier, ColonAfterModifier, lambda reason: reason is Reason.COLON_AFTER_MODIFIER)
