"""An ed25519 key in the wrong wrapping."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dkim.key import Flaw
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dkim._select import flawed


class Ed25519Wrapped(Finding):
    """An ed25519 key is published as a SubjectPublicKeyInfo instead of its bare 32 octets."""

    rule = Rule("DKIM015", "ed25519-wrapped", Severity.HIGH, cites=("RFC 8463 4",))
    selector: str
    detail: str  # the data as published


def check(dossier: Dossier) -> Iterator[Ed25519Wrapped]:
    for facts, key in flawed(dossier, Flaw.ED25519_WRAPPED):
        yield Ed25519Wrapped(at=facts.name, seen_in=facts.questions, selector=facts.selector, detail=key.detail)
