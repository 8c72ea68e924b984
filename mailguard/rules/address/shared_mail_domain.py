"""The domain belongs to an internet provider, a mobile carrier or a free mail service."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.providers import Role
from mailguard.rules.address._select import owner, what_its_owner_publishes
from mailguard.rules.base import Finding, Rule, Severity


class SharedMailDomain(Finding):
    """Thousands of customers have addresses in this domain, and only the provider can change its records."""

    rule = Rule("ADDR001", "shared-mail-domain", Severity.MEDIUM, cites=("RFC 9989 8",))
    provider: str


def check(dossier: Dossier) -> Iterator[SharedMailDomain]:
    """From the list of shared domains; the kinds that people have an address in."""
    provider = owner(dossier, Role.FREE, Role.CARRIER, Role.ISP)
    if provider is not None:
        seen_in = what_its_owner_publishes(dossier)
        yield SharedMailDomain(at=dossier.survey.domain, seen_in=seen_in, provider=provider.both_names)
