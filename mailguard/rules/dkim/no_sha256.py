"""A key that permits SHA-1 only."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dkim.key import Flaw
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dkim._select import flawed


class NoSha256(Finding):
    """The key permits no hash but those that receivers must not accept any more."""

    rule = Rule("DKIM016", "key-without-sha256", Severity.HIGH, cites=("RFC 8301 3.1", "RFC 6376 3.6.1"))
    selector: str
    detail: str  # h= as published


def check(dossier: Dossier) -> Iterator[NoSha256]:
    for facts, key in flawed(dossier, Flaw.NO_SHA256):
        yield NoSha256(at=facts.name, seen_in=facts.questions, selector=facts.selector, detail=key.detail)
