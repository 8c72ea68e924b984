"""SPF evaluation needs more look-ups than receivers make."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.spf._select import MAX_SHOWN, rests_on, valid, visible
from mailguard.spf.expansion import BranchStatus
from mailguard.spf.limits import MAX_LOOKUPS


class TooManyLookups(Finding):
    """Receivers stop at the eleventh look-up and treat SPF as broken."""

    rule = Rule("SPF004", "too-many-lookups", Severity.HIGH, cites=("RFC 7208 4.6.4",))
    count: int  # over the whole tree; a lower bound where the tree was too large to see all of it
    limit: int
    costs: tuple[str, ...]  # the domain's own terms with what each costs, dearest first


def check(dossier: Dossier) -> Iterator[TooManyLookups]:
    """Counts the worst case: every term evaluated. Quiet about loops, which have a rule of their own."""
    spf = valid(dossier)
    if spf is None or spf.tree.lookups <= MAX_LOOKUPS:
        return
    if any(branch.status is BranchStatus.LOOP for branch in spf.branches()):
        return
    dear = sorted((branch for branch in spf.tree.branches if branch.lookups), key=lambda branch: -branch.lookups)
    yield TooManyLookups(
        at=spf.domain,
        seen_in=rests_on(spf, *spf.branches()),
        count=spf.tree.lookups,
        limit=MAX_LOOKUPS,
        costs=tuple(f"{visible(branch.term.text)} = {branch.lookups}" for branch in dear[:MAX_SHOWN]),
    )
