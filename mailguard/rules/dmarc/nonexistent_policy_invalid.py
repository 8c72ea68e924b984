"""DMARC004: The np tag has no valid value, which takes the whole record's policies away."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import counted


class NonexistentPolicyInvalid(Finding):
    """The np tag has no valid value, which takes the whole record's policies away."""

    rule = Rule("DMARC004", "nonexistent-policy-invalid", Severity.CRITICAL, cites=("RFC 9989 4.10.1",))

    record: str
    value: str
    p: str


def check(dossier: Dossier) -> Iterator[NonexistentPolicyInvalid]:
    """Quiet beside an invalid sp, which has the same effect."""
    found = counted(dossier)
    if found is None or not found.record.p or found.record.invalid("sp") or not found.record.invalid("np"):
        return
    value = found.record.value("np") or ""
    yield NonexistentPolicyInvalid(
        at=found.at, seen_in=found.seen_in, record=found.record.text, value=value, p=found.record.p.value
    )
