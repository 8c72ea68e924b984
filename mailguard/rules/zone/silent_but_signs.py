"""DKIM keys of a domain that says it never sends."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.zone.parked import says_it_never_sends


class SilentButSigns(Finding):
    """SPF says that nobody sends for the domain, and there are DKIM keys in use."""

    rule = Rule("ZONE016", "never-sends-but-has-keys", Severity.MEDIUM, cites=("RFC 7208 10.1.2", "RFC 6376 3.6.1"))
    selectors: tuple[str, ...]


def check(dossier: Dossier) -> Iterator[SilentButSigns]:
    usable = [facts for facts in dossier.survey.dkim.usable if facts.is_own]
    if usable and says_it_never_sends(dossier.survey):
        yield SilentButSigns(
            at=dossier.survey.domain,
            seen_in=(dossier.survey.zone.txt.question, *(facts.answer.question for facts in usable)),
            selectors=tuple(facts.selector for facts in usable),
        )
