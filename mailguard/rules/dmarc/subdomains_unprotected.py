"""DMARC026: The domain itself is enforced but its subdomains are left at none."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.record import Policy
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import here


class SubdomainsUnprotected(Finding):
    """The domain itself is enforced but its subdomains are left at none."""

    rule = Rule("DMARC026", "subdomains-unprotected", Severity.HIGH, cites=("RFC 9989 4.7", "RFC 9989 3.2.9"))

    record: str
    p: str


def check(dossier: Dossier) -> Iterator[SubdomainsUnprotected]:
    """Only at an organizational domain: elsewhere sp has no effect."""
    found = here(dossier)
    survey = dossier.survey.dmarc
    if found is None or survey.organizational_domain != survey.domain or found.record.p in (None, Policy.NONE):
        return
    if found.record.sp is Policy.NONE:
        p = found.record.p.value if found.record.p else ""
        yield SubdomainsUnprotected(at=found.at, seen_in=found.seen_in, record=found.record.text, p=p)
