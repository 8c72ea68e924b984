"""``?all``: the record says that it says nothing."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.spf._select import apex, valid, visible
from mailguard.spf.terms import Qualifier


class NeutralAll(Finding):
    """Servers that are not listed are treated as if there were no SPF record."""

    rule = Rule("SPF021", "neutral-all", Severity.MEDIUM, cites=("RFC 7208 8.2", "RFC 7208 5.1"))
    record: str


def check(dossier: Dossier) -> Iterator[NeutralAll]:
    """Follows redirects. ``~all`` is no weakness where DKIM and DMARC stand beside it, and has no rule."""
    spf = valid(dossier)
    end = spf.end if spf else None
    own = end.record.all if end and end.record else None
    if spf and end and end.record and own and own.qualifier is Qualifier.NEUTRAL and not spf.everyone_passes:
        seen = tuple(dict.fromkeys((*apex(spf), end.answer.question)))
        yield NeutralAll(at=end.domain, seen_in=seen, record=visible(end.record.text))
