"""A version tag that does not come first."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dkim.key import Remark
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dkim._select import remarked


class VersionNotFirst(Finding):
    """The version tag of a key record is not its first tag; some verifiers discard such a record."""

    rule = Rule("DKIM022", "version-not-first-in-key", Severity.MEDIUM, cites=("RFC 6376 3.6.1",))
    selector: str


def check(dossier: Dossier) -> Iterator[VersionNotFirst]:
    for facts, _ in remarked(dossier, Remark.VERSION_NOT_FIRST):
        yield VersionNotFirst(at=facts.name, seen_in=facts.questions, selector=facts.selector)
