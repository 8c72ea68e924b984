"""DMARC053: The fo tag is given without ruf, so that it has no effect."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import counted


class FailureOptionsWithoutRuf(Finding):
    """The fo tag is given without ruf, so that it has no effect."""

    rule = Rule("DMARC053", "failure-options-without-ruf", Severity.INFO, cites=("RFC 9989 4.7",))

    record: str
    value: str


def check(dossier: Dossier) -> Iterator[FailureOptionsWithoutRuf]:
    """Look at the record that counts for the domain."""
    found = counted(dossier)
    if found and found.record.has("fo") and not found.record.ruf:
        value = found.record.value("fo") or ""
        yield FailureOptionsWithoutRuf(at=found.at, seen_in=found.seen_in, record=found.record.text, value=value)
