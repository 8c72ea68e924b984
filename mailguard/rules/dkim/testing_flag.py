"""A key in testing mode."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dkim._select import told_keys


class TestingFlag(Finding):
    """A key carries t=y, which asks receivers to treat mail signed with it as if it were not signed."""

    rule = Rule("DKIM021", "testing-flag", Severity.MEDIUM, cites=("RFC 6376 3.6.1",))
    selector: str


def check(dossier: Dossier) -> Iterator[TestingFlag]:
    for facts, key in told_keys(dossier):
        if key.flaw is None and not key.revoked and key.testing:
            yield TestingFlag(at=facts.name, seen_in=facts.questions, selector=facts.selector)
