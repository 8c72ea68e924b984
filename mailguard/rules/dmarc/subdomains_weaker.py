"""DMARC028: Subdomains are enforced less strictly than the domain itself."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.record import Policy
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import here


class SubdomainsWeaker(Finding):
    """Subdomains are enforced less strictly than the domain itself."""

    rule = Rule("DMARC028", "subdomains-weaker", Severity.LOW, cites=("RFC 9989 4.7",))

    record: str
    tags: tuple[str, ...]


def check(dossier: Dossier) -> Iterator[SubdomainsWeaker]:
    """Only at an organizational domain: elsewhere sp and np have no effect."""
    found = here(dossier)
    survey = dossier.survey.dmarc
    if found is None or survey.organizational_domain != survey.domain or found.record.p is not Policy.REJECT:
        return
    pairs = (("sp", found.record.sp), ("np", found.record.np))
    tags = tuple(f"{key}={policy.value}" for key, policy in pairs if policy is Policy.QUARANTINE)
    if tags:
        yield SubdomainsWeaker(at=found.at, seen_in=found.seen_in, record=found.record.text, tags=tags)
