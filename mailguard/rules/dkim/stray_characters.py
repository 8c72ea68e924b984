"""What pasting left behind in a key record."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dkim.key import Flaw
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dkim._select import flawed


class StrayCharacters(Finding):
    """Quotes, backslashes, a PEM header or a second ``p=`` stand in a key record."""

    rule = Rule("DKIM009", "stray-characters-in-key", Severity.HIGH, cites=("RFC 6376 3.2", "RFC 6376 3.6.1"))
    selector: str
    detail: str  # the first of them


def check(dossier: Dossier) -> Iterator[StrayCharacters]:
    for facts, key in flawed(dossier, Flaw.STRAY_CHARACTERS):
        yield StrayCharacters(at=facts.name, seen_in=facts.questions, selector=facts.selector, detail=key.detail)
