"""Too many terms lead nowhere for senders with an IPv6 address."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Confidence, Finding, Rule, Severity
from mailguard.rules.spf._select import MAX_SHOWN, rests_on, valid, visible
from mailguard.spf.limits import MAX_VOID_LOOKUPS
from mailguard.spf.reach import reach


class VoidLookupsOverIpv6(Finding):
    """Hosts without IPv6 address stand in front of a service that sends over IPv6."""

    rule = Rule(
        "SPF042", "void-lookups-over-ipv6", Severity.LOW, Confidence.POSSIBLE, cites=("RFC 7208 4.6.4", "RFC 7208 5")
    )
    count: int
    limit: int
    terms: tuple[str, ...]


def check(dossier: Dossier) -> Iterator[VoidLookupsOverIpv6]:
    """Only where it makes a difference: strict receivers would not reach IPv6 networks that the record allows."""
    spf = valid(dossier)
    if spf is None or spf.tree.void4 > MAX_VOID_LOOKUPS or spf.tree.void6 <= MAX_VOID_LOOKUPS:
        return
    strict = reach(spf.tree, 6, MAX_VOID_LOOKUPS)
    if strict.passes.size == spf.reach6.passes.size:
        return
    void = [branch for branch in spf.branches() if branch.is_void(6)]
    yield VoidLookupsOverIpv6(
        at=spf.domain,
        seen_in=rests_on(spf, *void),
        count=spf.tree.void6,
        limit=MAX_VOID_LOOKUPS,
        terms=tuple(visible(branch.term.text) for branch in void[:MAX_SHOWN]),
    )
