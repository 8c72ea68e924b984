"""An address with bits behind its prefix."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.spf._select import MAX_SHOWN, apex, valid, visible
from mailguard.spf.edit import has_host_bits


class HostBitsSet(Finding):
    """A network is written with the address of one machine; receivers take the whole network."""

    rule = Rule("SPF030", "host-bits-set", Severity.LOW, cites=("RFC 7208 5.6",))
    terms: tuple[str, ...]
    networks: tuple[str, ...]  # what receivers make of the terms, in the same order


def check(dossier: Dossier) -> Iterator[HostBitsSet]:
    """The domain's own record only."""
    spf = valid(dossier)
    record = spf.record if spf else None
    chosen = [term for term in record.live if has_host_bits(term)][:MAX_SHOWN] if record else []
    if spf and chosen:
        terms = tuple(visible(term.text) for term in chosen)
        networks = tuple(str(term.network) for term in chosen)
        yield HostBitsSet(at=spf.domain, seen_in=apex(spf), terms=terms, networks=networks)
