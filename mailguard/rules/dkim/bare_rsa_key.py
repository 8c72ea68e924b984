"""An RSA key without its wrapping."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dkim.key import Remark
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dkim._select import remarked


class BareRsaKey(Finding):
    """An RSA key is published as a bare RSAPublicKey, which few verifiers read."""

    rule = Rule("DKIM023", "bare-rsa-key", Severity.MEDIUM, cites=("RFC 6376 3.6.1",))
    selector: str


def check(dossier: Dossier) -> Iterator[BareRsaKey]:
    for facts, _ in remarked(dossier, Remark.PKCS1):
        yield BareRsaKey(at=facts.name, seen_in=facts.questions, selector=facts.selector)
