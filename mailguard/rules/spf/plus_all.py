"""``+all``: everybody may send."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.spf._select import apex, valid, visible
from mailguard.spf.terms import Qualifier


class PlusAll(Finding):
    """The record ends in ``+all`` or ``all``: every server of the world passes."""

    rule = Rule("SPF011", "plus-all", Severity.CRITICAL, cites=("RFC 7208 5.1", "RFC 7208 4.6.2"))
    record: str


def check(dossier: Dossier) -> Iterator[PlusAll]:
    """The domain's own record; what included records let pass has a rule of its own."""
    spf = valid(dossier)
    own = spf.record.all if spf and spf.record else None
    if spf and spf.text is not None and own and own.qualifier is Qualifier.PASS:
        yield PlusAll(at=spf.domain, seen_in=apex(spf), record=visible(spf.text))
