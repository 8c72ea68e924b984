"""DMARC027: Subdomains that exist are enforced, those that do not exist are left at none."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.record import Policy
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import here


class InventedSubdomainsUnprotected(Finding):
    """Subdomains that exist are enforced, those that do not exist are left at none."""

    rule = Rule("DMARC027", "invented-subdomains-unprotected", Severity.HIGH, cites=("RFC 9989 4.7",))

    record: str
    policy: str  # what holds for subdomains that exist


def check(dossier: Dossier) -> Iterator[InventedSubdomainsUnprotected]:
    """Only at an organizational domain: elsewhere np has no effect."""
    found = here(dossier)
    survey = dossier.survey.dmarc
    if found is None or survey.organizational_domain != survey.domain or found.record.np is not Policy.NONE:
        return
    policy = found.record.sp or found.record.p
    if policy and policy is not Policy.NONE:
        yield InventedSubdomainsUnprotected(
            at=found.at, seen_in=found.seen_in, record=found.record.text, policy=policy.value
        )
