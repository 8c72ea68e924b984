"""Terms behind ``all``, which nobody reads."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.spf._select import MAX_SHOWN, apex, valid, visible


class TermsAfterAll(Finding):
    """Mechanisms stand behind ``all`` and are never reached: the servers they name are not allowed to send."""

    rule = Rule("SPF022", "terms-after-all", Severity.MEDIUM, cites=("RFC 7208 5.1",))
    record: str
    terms: tuple[str, ...]


def check(dossier: Dossier) -> Iterator[TermsAfterAll]:
    """Mechanisms only: modifiers may stand anywhere (RFC 7208 section 6)."""
    spf = valid(dossier)
    record = spf.record if spf else None
    if spf and record:
        dead = record.directives[len(record.live) :]
        if dead:
            terms = tuple(visible(term.text) for term in dead[:MAX_SHOWN])
            yield TermsAfterAll(at=spf.domain, seen_in=apex(spf), record=visible(record.text), terms=terms)
