"""DMARC037: The fo tag has a value that does not exist, so that fo=0 counts."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import counted


class FailureOptionsInvalid(Finding):
    """The fo tag has a value that does not exist, so that fo=0 counts."""

    rule = Rule("DMARC037", "failure-options-invalid", Severity.LOW, cites=("RFC 9989 4.8", "RFC 9989 4.7"))

    record: str
    value: str


def check(dossier: Dossier) -> Iterator[FailureOptionsInvalid]:
    """Quiet without ruf, where fo has no effect at all."""
    found = counted(dossier)
    if found and found.record.ruf and found.record.problems_of("fo"):
        value = found.record.value("fo") or ""
        yield FailureOptionsInvalid(at=found.at, seen_in=found.seen_in, record=found.record.text, value=value)
