"""An RSA key below 1024 bits."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dkim.key import MIN_BITS
from mailguard.dkim.survey import SelectorStatus
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dkim._select import told_keys


class KeyTooShort(Finding):
    """An RSA key is so short that receivers must not accept it, and that strangers can work out its private half."""

    rule = Rule("DKIM001", "key-too-short", Severity.CRITICAL, cites=("RFC 8301 3.2",))
    selector: str
    bits: int
    minimum: int  # 1024


def check(dossier: Dossier) -> Iterator[KeyTooShort]:
    for facts, key in told_keys(dossier):
        if facts.status is SelectorStatus.TOO_SHORT:
            yield KeyTooShort(
                at=facts.name,
                seen_in=facts.questions,
                selector=facts.selector,
                bits=key.bits or 0,
                minimum=MIN_BITS,
            )
