"""``ptr``, which SPF itself advises against."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.spf._select import MAX_SHOWN, apex, valid, visible
from mailguard.spf.terms import Directive, Kind


class PtrUsed(Finding):
    """The record uses ptr or the macro p: slow, unreliable, and left out by some receivers."""

    rule = Rule("SPF026", "ptr-used", Severity.MEDIUM, cites=("RFC 7208 5.5", "RFC 7208 7.2"))
    record: str
    terms: tuple[str, ...]


def check(dossier: Dossier) -> Iterator[PtrUsed]:
    """The domain's own record only: what providers publish is theirs."""
    spf = valid(dossier)
    record = spf.record if spf else None
    used = [term for term in record.live if _uses_ptr(term)] if record else []
    if spf and record and used:
        terms = tuple(visible(term.text) for term in used[:MAX_SHOWN])
        yield PtrUsed(at=spf.domain, seen_in=apex(spf), record=visible(record.text), terms=terms)


def _uses_ptr(term: Directive) -> bool:
    return term.kind is Kind.PTR or (term.target is not None and "p" in term.target.letters)
