"""A key type that nobody knows."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dkim.key import Flaw
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dkim._select import flawed


class UnknownKeyType(Finding):
    """The key type is neither ``rsa`` nor ``ed25519``, so verifiers ignore the record."""

    rule = Rule("DKIM014", "unknown-key-type", Severity.HIGH, cites=("RFC 6376 3.6.1", "RFC 8463 4"))
    selector: str
    detail: str  # the type as published


def check(dossier: Dossier) -> Iterator[UnknownKeyType]:
    for facts, key in flawed(dossier, Flaw.UNKNOWN_KEY_TYPE):
        yield UnknownKeyType(at=facts.name, seen_in=facts.questions, selector=facts.selector, detail=key.detail)
