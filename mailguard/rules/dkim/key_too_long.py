"""An RSA key above 4096 bits."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dkim.key import Remark
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dkim._select import remarked


class KeyTooLong(Finding):
    """An RSA key is longer than verifiers have to accept."""

    rule = Rule("DKIM024", "key-too-long", Severity.MEDIUM, cites=("RFC 8301 3.2",))
    selector: str
    bits: int


def check(dossier: Dossier) -> Iterator[KeyTooLong]:
    for facts, key in remarked(dossier, Remark.LONG):
        yield KeyTooLong(at=facts.name, seen_in=facts.questions, selector=facts.selector, bits=key.bits or 0)
