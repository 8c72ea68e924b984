"""The domain is the initial one of a hosting plan, below the hosting company's own name."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.providers import Role
from mailguard.rules.address._select import owner, what_its_owner_publishes
from mailguard.rules.base import Finding, Rule, Severity


class InitialDomain(Finding):
    """The name came with a hosting plan: it goes when the plan ends, and its records are the company's."""

    rule = Rule("ADDR002", "initial-domain", Severity.MEDIUM, cites=("RFC 9989 8",))
    provider: str


def check(dossier: Dossier) -> Iterator[InitialDomain]:
    """From the list of shared domains; those of hosting companies."""
    provider = owner(dossier, Role.HOSTING)
    if provider is not None:
        seen_in = what_its_owner_publishes(dossier)
        yield InitialDomain(at=dossier.survey.domain, seen_in=seen_in, provider=provider.both_names)
