"""DMARC003: The sp tag has no valid value, which takes the whole record's policies away."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import counted


class SubdomainPolicyInvalid(Finding):
    """The sp tag has no valid value, which takes the whole record's policies away."""

    rule = Rule("DMARC003", "subdomain-policy-invalid", Severity.CRITICAL, cites=("RFC 9989 4.10.1",))

    record: str
    value: str
    p: str  # the policy that is lost by it


def check(dossier: Dossier) -> Iterator[SubdomainPolicyInvalid]:
    """Look at the record that counts for the domain."""
    found = counted(dossier)
    if found is None or not found.record.p or not found.record.invalid("sp"):
        return
    value = found.record.value("sp") or ""
    yield SubdomainPolicyInvalid(
        at=found.at, seen_in=found.seen_in, record=found.record.text, value=value, p=found.record.p.value
    )
