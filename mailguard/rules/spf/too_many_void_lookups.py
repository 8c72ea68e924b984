"""More than two terms lead nowhere."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.spf._select import MAX_SHOWN, rests_on, valid, visible
from mailguard.spf.limits import MAX_VOID_LOOKUPS


class TooManyVoidLookups(Finding):
    """Receivers that follow the recommended limit treat SPF as broken at the third term that leads nowhere."""

    rule = Rule("SPF013", "too-many-void-lookups", Severity.MEDIUM, cites=("RFC 7208 4.6.4",))
    count: int
    limit: int
    terms: tuple[str, ...]


def check(dossier: Dossier) -> Iterator[TooManyVoidLookups]:
    """Counts what a client with an IPv4 address makes a receiver ask."""
    spf = valid(dossier)
    if spf is None or spf.tree.void4 <= MAX_VOID_LOOKUPS:
        return
    void = [branch for branch in spf.branches() if branch.is_void(4)]
    yield TooManyVoidLookups(
        at=spf.domain,
        seen_in=rests_on(spf, *void),
        count=spf.tree.void4,
        limit=MAX_VOID_LOOKUPS,
        terms=tuple(visible(branch.term.text) for branch in void[:MAX_SHOWN]),
    )
