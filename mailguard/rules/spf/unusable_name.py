"""A name that no DNS question can carry."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.spf._select import MAX_SHOWN, apex, valid, visible
from mailguard.spf.edit import is_include
from mailguard.spf.expansion import BranchStatus
from mailguard.spf.terms import Modifier


class UnusableName(Finding):
    """The record holds a name with two dots in a row or a part longer than 63 letters; receivers disagree about it."""

    rule = Rule("SPF044", "unusable-name", Severity.MEDIUM, cites=("RFC 7208 4.8", "RFC 1035 2.3.4"))
    terms: tuple[str, ...]


def check(dossier: Dossier) -> Iterator[UnusableName]:
    """a, mx and exists of the domain's own record; for includes and redirects it means permerror, told elsewhere."""
    spf = valid(dossier)
    bad = [
        branch
        for branch in (spf.tree.branches if spf else ())
        if branch.status is BranchStatus.UNUSABLE_NAME
        and not is_include(branch)
        and not isinstance(branch.term, Modifier)
    ]
    if spf and bad:
        terms = tuple(visible(branch.term.text) for branch in bad[:MAX_SHOWN])
        yield UnusableName(at=spf.domain, seen_in=apex(spf), terms=terms)
