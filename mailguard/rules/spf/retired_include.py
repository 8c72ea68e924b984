"""An include that its provider has given up."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Confidence, Finding, Rule, Severity
from mailguard.rules.spf._select import MAX_SHOWN, rests_on, valid, visible
from mailguard.spf.edit import is_include
from mailguard.spf.hosts import RETIRED


class RetiredInclude(Finding):
    """The record includes a name that its provider no longer gives to customers."""

    rule = Rule("SPF039", "retired-include", Severity.LOW, Confidence.LIKELY, cites=("RFC 7208 5.2",))
    term: str
    successor: str


def check(dossier: Dossier) -> Iterator[RetiredInclude]:
    """The domain's own record only. If the name has gone, another rule says so."""
    spf = valid(dossier)
    for branch in spf.tree.branches[:MAX_SHOWN] if spf else ():
        if spf and is_include(branch) and branch.target in RETIRED and branch.below and branch.below.record:
            yield RetiredInclude(
                at=spf.domain,
                seen_in=rests_on(spf, branch),
                term=visible(branch.term.text),
                successor=RETIRED[branch.target],
            )
