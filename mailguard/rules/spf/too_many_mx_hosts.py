"""An mx term with more than ten hosts."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.spf._select import rests_on, valid, visible
from mailguard.spf.expansion import BranchStatus
from mailguard.spf.limits import MAX_MX_HOSTS


class TooManyMxHosts(Finding):
    """Receivers look up the addresses of ten MX hosts at most, and treat SPF as broken beyond that."""

    rule = Rule("SPF043", "too-many-mx-hosts", Severity.HIGH, cites=("RFC 7208 4.6.4", "RFC 7208 5.4"))
    term: str
    count: int
    limit: int


def check(dossier: Dossier) -> Iterator[TooManyMxHosts]:
    """Anywhere in the tree."""
    spf = valid(dossier)
    for branch in spf.branches() if spf else ():
        if spf and branch.status is BranchStatus.TOO_MANY_HOSTS:
            yield TooManyMxHosts(
                at=branch.domain,
                seen_in=rests_on(spf, branch),
                term=visible(branch.term.text),
                count=len(branch.answers[0].exchanges),
                limit=MAX_MX_HOSTS,
            )
