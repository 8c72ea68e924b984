"""DMARC033: The p tag does not directly follow the version, as RFC 7489 wanted it."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import applied


class PolicyNotSecond(Finding):
    """The p tag does not directly follow the version, as RFC 7489 wanted it."""

    rule = Rule("DMARC033", "policy-not-second", Severity.LOW, cites=("RFC 7489 6.4", "RFC 9989 4.8"))

    record: str


def check(dossier: Dossier) -> Iterator[PolicyNotSecond]:
    """Look at the record that counts for the domain."""
    found = applied(dossier)
    if found and not found.record.p_is_second:
        yield PolicyNotSecond(at=found.at, seen_in=found.seen_in, record=found.record.text)
