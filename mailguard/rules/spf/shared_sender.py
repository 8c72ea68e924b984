"""Includes of services whose servers many organisations share."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Confidence, Finding, Rule, Severity
from mailguard.rules.spf._select import MAX_SHOWN, rests_on, valid, visible
from mailguard.spf.edit import is_include
from mailguard.spf.hosts import is_shared
from mailguard.spf.terms import Directive, Qualifier


class SharedSender(Finding):
    """SPF lets a mass-mailing service send, and cannot tell its customers from one another."""

    rule = Rule(
        "SPF032",
        "shared-sender",
        Severity.INFO,
        Confidence.POSSIBLE,
        cites=("RFC 9989 11.1", "RFC 7208 11.4"),
    )
    targets: tuple[str, ...]


def check(dossier: Dossier) -> Iterator[SharedSender]:
    """Only includes with a pass: ``?include`` already draws the line."""
    spf = valid(dossier)
    shared = [
        branch
        for branch in (spf.tree.branches if spf else ())
        if is_include(branch) and _passes(branch.term) and branch.target and is_shared(branch.target)
    ]
    if spf and shared:
        targets = tuple(visible(branch.target or "") for branch in shared[:MAX_SHOWN])
        yield SharedSender(at=spf.domain, seen_in=rests_on(spf, *shared), targets=targets)


def _passes(term: object) -> bool:
    return isinstance(term, Directive) and term.qualifier is Qualifier.PASS
