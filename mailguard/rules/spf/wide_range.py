"""A network far wider than one organisation's mail servers."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Confidence, Finding, Rule, Severity
from mailguard.rules.spf._select import MAX_SHOWN, apex, valid, visible
from mailguard.spf.networks import WIDE_IP4_PREFIX, WIDE_IP6_PREFIX, is_private, is_wide
from mailguard.spf.terms import Directive, Kind, Qualifier


class WideRange(Finding):
    """The domain's own record allows a network of tens of thousands of machines or more."""

    rule = Rule("SPF028", "wide-range", Severity.MEDIUM, Confidence.LIKELY, cites=("RFC 7208 5.6",))
    terms: tuple[str, ...]


def check(dossier: Dossier) -> Iterator[WideRange]:
    """Providers' own ranges, behind an include, are theirs to choose; quiet where everybody passes anyway."""
    spf = valid(dossier)
    if spf is None or spf.record is None or spf.everyone_passes:
        return
    wide = [term for term in spf.record.live if term.qualifier is Qualifier.PASS and _is_wide(term)]
    if wide:
        terms = tuple(visible(term.text) for term in wide[:MAX_SHOWN])
        yield WideRange(at=spf.domain, seen_in=apex(spf), terms=terms)


def _is_wide(term: Directive) -> bool:
    if term.network is not None:
        return is_wide(term.network) and not is_private(term.network)
    if term.kind not in (Kind.A, Kind.MX):
        return False
    return (32 if term.prefix4 is None else term.prefix4) <= WIDE_IP4_PREFIX or (
        128 if term.prefix6 is None else term.prefix6
    ) <= WIDE_IP6_PREFIX
