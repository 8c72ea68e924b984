"""A selector that is an alias for nothing."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity


class AliasLeadsNowhere(Finding):
    """A selector is a CNAME that leads to no key, and no other usable key was seen, or the selector is in use."""

    rule = Rule("DKIM019", "alias-leads-nowhere", Severity.MEDIUM, cites=("RFC 6376 3.6.2.2",))
    selector: str
    target: str


def check(dossier: Dossier) -> Iterator[AliasLeadsNowhere]:
    dkim = dossier.survey.dkim
    for facts in dkim.told:
        if facts.is_dangling and (facts.origin.is_named or not (dkim.usable or dkim.unseen)):
            target = facts.answer.aliases[-1]
            yield AliasLeadsNowhere(at=facts.name, seen_in=facts.questions, selector=facts.selector, target=target)
