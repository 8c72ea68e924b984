"""DMARC005: The p tag has a value that does not exist."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import counted


class PolicyInvalid(Finding):
    """The p tag has a value that does not exist."""

    rule = Rule("DMARC005", "policy-invalid", Severity.CRITICAL, cites=("RFC 9989 4.10.1", "RFC 9989 4.7"))

    record: str
    value: str


def check(dossier: Dossier) -> Iterator[PolicyInvalid]:
    """Look at the record that counts for the domain."""
    found = counted(dossier)
    if found and found.record.invalid("p"):
        value = found.record.value("p") or ""
        yield PolicyInvalid(at=found.at, seen_in=found.seen_in, record=found.record.text, value=value)
