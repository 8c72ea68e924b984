"""The same include twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.spf._select import MAX_SHOWN, rests_on, valid, visible
from mailguard.spf.edit import is_include, repeated


class DuplicateInclude(Finding):
    """The record says the same thing twice; receivers look it up twice and count it twice."""

    rule = Rule("SPF031", "duplicate-include", Severity.LOW, cites=("RFC 7208 4.6.4",))
    terms: tuple[str, ...]


def check(dossier: Dossier) -> Iterator[DuplicateInclude]:
    """Repeated terms of the domain's own record, and includes that another included record already brings."""
    spf = valid(dossier)
    if spf is None:
        return
    again = repeated(spf)
    targets = Counter(branch.target for branch in spf.branches() if is_include(branch))
    twice = [
        branch
        for branch in spf.tree.branches
        if branch.term.start in again or (is_include(branch) and targets[branch.target] > 1)
    ]
    if twice:
        terms = tuple(dict.fromkeys(visible(branch.term.text) for branch in twice[:MAX_SHOWN]))
        yield DuplicateInclude(at=spf.domain, seen_in=rests_on(spf, *twice), terms=terms)
