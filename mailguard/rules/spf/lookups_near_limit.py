"""Nine or ten look-ups: nothing may be added any more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.spf._select import MAX_SHOWN, rests_on, valid, visible
from mailguard.spf.limits import MAX_LOOKUPS

NEAR: Final = 9


class LookupsNearLimit(Finding):
    """The next service that is added, or a change at a provider, may push SPF over the limit."""

    rule = Rule("SPF025", "lookups-near-limit", Severity.LOW, cites=("RFC 7208 4.6.4",))
    count: int
    limit: int
    costs: tuple[str, ...]


def check(dossier: Dossier) -> Iterator[LookupsNearLimit]:
    """Counts like the rule about too many; quiet where the whole tree was not seen."""
    spf = valid(dossier)
    if spf is None or spf.has_unseen or not NEAR <= spf.tree.lookups <= MAX_LOOKUPS:
        return
    dear = sorted((branch for branch in spf.tree.branches if branch.lookups), key=lambda branch: -branch.lookups)
    yield LookupsNearLimit(
        at=spf.domain,
        seen_in=rests_on(spf, *spf.branches()),
        count=spf.tree.lookups,
        limit=MAX_LOOKUPS,
        costs=tuple(f"{visible(branch.term.text)} = {branch.lookups}" for branch in dear[:MAX_SHOWN]),
    )
