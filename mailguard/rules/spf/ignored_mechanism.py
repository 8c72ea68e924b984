"""``include=`` and the like: read as an unknown modifier, and ignored."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.spf._select import MAX_SHOWN, apex, valid, visible
from mailguard.spf.edit import is_ignored_mechanism


class IgnoredMechanism(Finding):
    """A mechanism is written with ``=`` in place of ``:``. Receivers ignore it without a word, so it allows nobody."""

    rule = Rule("SPF024", "ignored-mechanism", Severity.HIGH, cites=("RFC 7208 6", "RFC 7208 4.6.1"))
    record: str
    terms: tuple[str, ...]


def check(dossier: Dossier) -> Iterator[IgnoredMechanism]:
    """The domain's own record only."""
    spf = valid(dossier)
    record = spf.record if spf else None
    ignored = [term for term in record.modifiers if is_ignored_mechanism(term)] if record else []
    if spf and record and ignored:
        terms = tuple(visible(term.text) for term in ignored[:MAX_SHOWN])
        yield IgnoredMechanism(at=spf.domain, seen_in=apex(spf), record=visible(record.text), terms=terms)
