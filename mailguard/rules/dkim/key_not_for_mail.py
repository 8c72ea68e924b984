"""A key that may not sign mail."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dkim.key import Flaw
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dkim._select import flawed


class KeyNotForMail(Finding):
    """The service list (s=) of a key names neither ``email`` nor ``*``."""

    rule = Rule("DKIM018", "key-not-for-mail", Severity.MEDIUM, cites=("RFC 6376 3.6.1", "RFC 8460 3"))
    selector: str
    detail: str  # s= as published


def check(dossier: Dossier) -> Iterator[KeyNotForMail]:
    for facts, key in flawed(dossier, Flaw.NOT_FOR_MAIL):
        yield KeyNotForMail(at=facts.name, seen_in=facts.questions, selector=facts.selector, detail=key.detail)
