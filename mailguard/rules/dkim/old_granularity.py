"""An obsolete g= tag."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dkim.key import Remark
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dkim._select import remarked


class OldGranularity(Finding):
    """A key record carries the g= tag of an older standard, which has no meaning any more."""

    rule = Rule("DKIM033", "old-granularity", Severity.INFO, cites=("RFC 6376 C.2",))
    selector: str


def check(dossier: Dossier) -> Iterator[OldGranularity]:
    for facts, _ in remarked(dossier, Remark.OLD_GRANULARITY):
        yield OldGranularity(at=facts.name, seen_in=facts.questions, selector=facts.selector)
