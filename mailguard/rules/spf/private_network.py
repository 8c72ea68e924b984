"""Networks from which no mail can come over the internet."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.spf._select import MAX_SHOWN, apex, valid, visible
from mailguard.spf.networks import is_private


class PrivateNetwork(Finding):
    """The record lists addresses of inner networks, such as 192.168.0.0/16: they do nothing outside the building."""

    rule = Rule("SPF029", "private-network", Severity.LOW, cites=("RFC 7208 5.6", "RFC 1918 3"))
    terms: tuple[str, ...]


def check(dossier: Dossier) -> Iterator[PrivateNetwork]:
    """The domain's own record only."""
    spf = valid(dossier)
    record = spf.record if spf else None
    private = [term for term in record.live if term.network is not None and is_private(term.network)] if record else []
    if spf and private:
        terms = tuple(visible(term.text) for term in private[:MAX_SHOWN])
        yield PrivateNetwork(at=spf.domain, seen_in=apex(spf), terms=terms)
