"""A selector in use without a key record."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dkim.survey import SelectorStatus
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity


class SelectorAbsent(Finding):
    """There is no key record at a selector that the user named or that reports show in use."""

    rule = Rule("DKIM006", "selector-absent", Severity.HIGH, cites=("RFC 6376 6.1.2", "RFC 6376 3.6.2.2"))
    selector: str


def check(dossier: Dossier) -> Iterator[SelectorAbsent]:
    for facts in dossier.survey.dkim.told:
        # A chain of aliases that leads nowhere is told by alias_leads_nowhere.
        if facts.origin.is_named and facts.status is SelectorStatus.ABSENT and not facts.is_dangling:
            yield SelectorAbsent(at=facts.name, seen_in=facts.questions, selector=facts.selector)
