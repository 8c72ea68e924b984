"""An RSA key that can be taken apart."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dkim.key import Remark
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dkim._select import remarked


class BreakableKey(Finding):
    """The numbers of an RSA key are such that its private half can be worked out at once, or is not needed."""

    rule = Rule("DKIM003", "breakable-key", Severity.CRITICAL, cites=("RFC 6376 8.1", "RFC 8017 3.1"))
    selector: str
    bits: int
    exponent: str


def check(dossier: Dossier) -> Iterator[BreakableKey]:
    for facts, key in remarked(dossier, Remark.FACTORABLE, Remark.BAD_EXPONENT):
        yield BreakableKey(
            at=facts.name,
            seen_in=facts.questions,
            selector=facts.selector,
            bits=key.bits or 0,
            exponent=key.exponent_text,
        )
