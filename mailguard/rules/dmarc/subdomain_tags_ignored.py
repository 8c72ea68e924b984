"""DMARC029: The record has sp or np, but the domain is no organizational domain, so that they have no effect."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.record import Psd
from mailguard.dmarc.walk import record_question
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import here


class SubdomainTagsIgnored(Finding):
    """The record has sp or np, but the domain is no organizational domain, so that they have no effect."""

    rule = Rule("DMARC029", "subdomain-tags-ignored", Severity.MEDIUM, cites=("RFC 9989 4.7", "RFC 9989 4.10.1"))

    record: str
    tags: tuple[str, ...]
    organizational_domain: str


def check(dossier: Dossier) -> Iterator[SubdomainTagsIgnored]:
    """The names below such a domain follow the organizational domain's record."""
    found = here(dossier)
    above = dossier.survey.dmarc.organizational_domain
    if found is None or above is None or above == dossier.survey.domain or found.record.psd is Psd.YES:
        return
    tags = tuple(f"{key}={found.record.value(key)}" for key in ("sp", "np") if found.record.has(key))
    if tags:
        yield SubdomainTagsIgnored(
            at=found.at,
            seen_in=(*found.seen_in, record_question(above)),
            record=found.record.text,
            tags=tags,
            organizational_domain=str(above),
        )
