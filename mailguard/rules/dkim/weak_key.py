"""An RSA key below 2048 bits."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dkim.key import GOOD_BITS, Strength
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dkim._select import told_keys


class WeakKey(Finding):
    """An RSA key is accepted today but shorter than it should be."""

    rule = Rule("DKIM027", "weak-key", Severity.LOW, cites=("RFC 8301 3.2",))
    selector: str
    bits: int
    recommended: int  # 2048


def check(dossier: Dossier) -> Iterator[WeakKey]:
    for facts, key in told_keys(dossier):
        if key.flaw is None and not key.revoked and key.strength is Strength.WEAK:
            yield WeakKey(
                at=facts.name,
                seen_in=facts.questions,
                selector=facts.selector,
                bits=key.bits or 0,
                recommended=GOOD_BITS,
            )
