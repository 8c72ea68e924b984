"""A second selector that is an alias for nothing."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity


class SpareAliasLeadsNowhere(Finding):
    """A selector is a CNAME that leads to no key, while another selector has a usable one."""

    rule = Rule("DKIM028", "spare-alias-leads-nowhere", Severity.LOW, cites=("RFC 6376 3.6.2.2",))
    selector: str
    target: str


def check(dossier: Dossier) -> Iterator[SpareAliasLeadsNowhere]:
    dkim = dossier.survey.dkim
    for facts in dkim.told:
        if facts.is_dangling and not facts.origin.is_named and dkim.usable:
            target = facts.answer.aliases[-1]
            yield SpareAliasLeadsNowhere(at=facts.name, seen_in=facts.questions, selector=facts.selector, target=target)
