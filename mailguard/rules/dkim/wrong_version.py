"""A version tag other than DKIM1."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dkim.key import Flaw
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dkim._select import flawed


class WrongVersion(Finding):
    """The version of a key record is not exactly ``DKIM1``, so verifiers discard it."""

    rule = Rule("DKIM013", "wrong-key-version", Severity.HIGH, cites=("RFC 6376 3.6.1",))
    selector: str
    detail: str  # the version as published


def check(dossier: Dossier) -> Iterator[WrongVersion]:
    for facts, key in flawed(dossier, Flaw.WRONG_VERSION):
        yield WrongVersion(at=facts.name, seen_in=facts.questions, selector=facts.selector, detail=key.detail)
