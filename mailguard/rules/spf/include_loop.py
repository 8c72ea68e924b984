"""Includes that lead back to where they came from."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.spf._select import MAX_SHOWN, rests_on, valid, visible
from mailguard.spf.expansion import BranchStatus


class IncludeLoop(Finding):
    """A record includes itself, directly or through others, until the limit of ten look-ups ends the check."""

    rule = Rule("SPF016", "include-loop", Severity.HIGH, cites=("RFC 7208 4.6.4", "RFC 7208 5.2"))
    term: str
    target: str


def check(dossier: Dossier) -> Iterator[IncludeLoop]:
    """Includes and redirects alike."""
    spf = valid(dossier)
    for branch in spf.branches() if spf else ():
        if spf and branch.status is BranchStatus.LOOP:
            yield IncludeLoop(
                at=branch.domain,
                seen_in=rests_on(spf, *spf.branches()[:MAX_SHOWN]),
                term=visible(branch.term.text),
                target=branch.target or "",
            )
            return
