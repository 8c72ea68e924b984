"""A key whose private half is printed in a standard."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dkim.key import Remark
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dkim._select import remarked


class KnownPrivateKey(Finding):
    """Everybody can sign with this key, since its private half stands in an example of a standard."""

    rule = Rule("DKIM002", "known-private-key", Severity.CRITICAL, cites=("RFC 6376 8.1",))
    selector: str


def check(dossier: Dossier) -> Iterator[KnownPrivateKey]:
    for facts, _ in remarked(dossier, Remark.KNOWN_PRIVATE_KEY):
        yield KnownPrivateKey(at=facts.name, seen_in=facts.questions, selector=facts.selector)
