"""A key that was cut off."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dkim.key import Flaw
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dkim._select import flawed


class KeyTruncated(Finding):
    """The key at a selector ends too early, as when a DNS panel cuts a long value off."""

    rule = Rule("DKIM008", "key-truncated", Severity.HIGH, cites=("RFC 6376 3.6.1", "RFC 6376 3.6.2.2"))
    selector: str
    detail: str  # its last characters


def check(dossier: Dossier) -> Iterator[KeyTruncated]:
    for facts, key in flawed(dossier, Flaw.TRUNCATED):
        yield KeyTruncated(at=facts.name, seen_in=facts.questions, selector=facts.selector, detail=key.detail)
