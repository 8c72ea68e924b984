"""An a or mx that stands for no address."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.spf._select import MAX_SHOWN, rests_on, valid, visible
from mailguard.spf.edit import is_empty_host
from mailguard.spf.limits import MAX_VOID_LOOKUPS


class EmptyTarget(Finding):
    """The record names hosts that have no address: the entry allows nobody and costs a look-up."""

    rule = Rule("SPF027", "empty-target", Severity.LOW, cites=("RFC 7208 4.6.4", "RFC 7208 5.3"))
    terms: tuple[str, ...]


def check(dossier: Dossier) -> Iterator[EmptyTarget]:
    """The domain's own record; quiet where there are so many that another rule tells them."""
    spf = valid(dossier)
    empty = [branch for branch in spf.tree.branches if is_empty_host(branch)] if spf else []
    if spf and empty and spf.tree.void4 <= MAX_VOID_LOOKUPS:
        terms = tuple(visible(branch.term.text) for branch in empty[:MAX_SHOWN])
        yield EmptyTarget(at=spf.domain, seen_in=rests_on(spf, *empty), terms=terms)
