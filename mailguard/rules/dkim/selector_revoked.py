"""A selector in use whose key is revoked."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dkim.survey import SelectorStatus
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity


class SelectorRevoked(Finding):
    """The key at a selector that the user named or that reports show in use is revoked (an empty p=)."""

    rule = Rule("DKIM007", "selector-revoked", Severity.HIGH, cites=("RFC 6376 3.6.1",))
    selector: str


def check(dossier: Dossier) -> Iterator[SelectorRevoked]:
    for facts in dossier.survey.dkim.told:
        if facts.origin.is_named and facts.status is SelectorStatus.REVOKED:
            yield SelectorRevoked(at=facts.name, seen_in=facts.questions, selector=facts.selector)
