"""A tag twice in a key record."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dkim.key import Flaw
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dkim._select import flawed


class DuplicateTag(Finding):
    """A tag stands twice in a key record, which makes all of it invalid."""

    rule = Rule("DKIM012", "duplicate-tag-in-key", Severity.HIGH, cites=("RFC 6376 3.2",))
    selector: str
    detail: str  # the tag


def check(dossier: Dossier) -> Iterator[DuplicateTag]:
    for facts, key in flawed(dossier, Flaw.DUPLICATE_TAG):
        yield DuplicateTag(at=facts.name, seen_in=facts.questions, selector=facts.selector, detail=key.detail)
