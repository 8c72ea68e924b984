"""Only ed25519 keys."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Confidence, Finding, Rule, Severity


class Ed25519Alone(Finding):
    """Every usable key that was seen is ed25519, which many receivers do not read yet."""

    rule = Rule("DKIM020", "ed25519-alone", Severity.MEDIUM, Confidence.LIKELY, cites=("RFC 8463 3", "RFC 8301 3.1"))
    selectors: tuple[str, ...]


def check(dossier: Dossier) -> Iterator[Ed25519Alone]:
    usable = dossier.survey.dkim.usable
    if usable and all(facts.key and facts.key.key_type == "ed25519" for facts in usable):
        yield Ed25519Alone(
            at=usable[0].name,
            seen_in=tuple(facts.answer.question for facts in usable),
            selectors=tuple(facts.selector for facts in usable),
        )
