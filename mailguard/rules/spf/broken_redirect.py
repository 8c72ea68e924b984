"""A redirect to a domain without one readable SPF record."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.spf._select import rests_on, valid, visible
from mailguard.spf.expansion import BranchStatus
from mailguard.spf.terms import Modifier


class BrokenRedirect(Finding):
    """The record hands over to a domain whose SPF cannot be used: permerror for everybody not matched before."""

    rule = Rule("SPF019", "broken-redirect", Severity.HIGH, cites=("RFC 7208 6.1",))
    term: str
    target: str


def check(dossier: Dossier) -> Iterator[BrokenRedirect]:
    """None, NXDOMAIN, several records, a syntax error, or a name that cannot be asked for."""
    spf = valid(dossier)
    for branch in spf.branches() if spf else ():
        broken = branch.status.breaks and branch.status is not BranchStatus.LOOP
        if spf and isinstance(branch.term, Modifier) and broken:
            yield BrokenRedirect(
                at=branch.domain,
                seen_in=rests_on(spf, branch),
                term=visible(branch.term.text),
                target=branch.target or "",
            )
