"""Key data that are no key."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dkim.key import Flaw
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dkim._select import flawed


class KeyUnreadable(Finding):
    """The data in p= are not base64, or not a key of the type that k= names."""

    rule = Rule("DKIM010", "key-unreadable", Severity.HIGH, cites=("RFC 6376 3.6.1", "RFC 8463 4"))
    selector: str
    detail: str  # the part that cannot be read


def check(dossier: Dossier) -> Iterator[KeyUnreadable]:
    for facts, key in flawed(dossier, Flaw.NOT_BASE64, Flaw.UNREADABLE_KEY):
        yield KeyUnreadable(at=facts.name, seen_in=facts.questions, selector=facts.selector, detail=key.detail)
