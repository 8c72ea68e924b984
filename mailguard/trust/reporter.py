"""Who a report says it is from, and which names reporters are known by."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from mailguard.feedback.report import AggregateReport
from mailguard.names import ROOT, DomainName
from mailguard.trust.head import domain_in

_MAX_NAMES: Final = 10_000
_MAX_DOMAINS: Final = 100

_ADDRESS: Final = re.compile(r"[^\s@<>]{1,64}@([^\s@<>]{1,253})")


def _folded(org_name: str) -> str:
    return " ".join(org_name.casefold().split())


# Reporters that call themselves after one domain and write from another, as seen in real reports. Who uses such a
# name and writes from elsewhere is not that reporter.
_VOUCHED: Final[Mapping[str, frozenset[DomainName]]] = MappingProxyType(
    {
        "outlook.com": frozenset({DomainName("microsoft.com")}),
        "enterprise outlook": frozenset({DomainName("microsoft.com")}),
        "yahoo": frozenset({DomainName("yahoo.com")}),
        "yahoo! inc.": frozenset({DomainName("yahoo.com")}),
        "docomo.ne.jp": frozenset({DomainName("dmarc25.jp")}),
        "xs4all.nl": frozenset({DomainName("xs4all.net")}),
    }
)


@dataclass(frozen=True, slots=True)
class Registry:
    """Which names (org_name, folded) go with which domains.

    ``vouched`` pairs are certain: they come with mailguard or from the operator, and another domain under such a name
    is an impersonation. ``seen`` pairs come from reports that were verified before; another domain under such a name
    is a remark only, or else the first comer could shut out the real owner of the name.
    """

    seen: Mapping[str, frozenset[DomainName]] = field(default_factory=dict, hash=False)
    vouched: Mapping[str, frozenset[DomainName]] = field(default_factory=lambda: _VOUCHED, hash=False)

    def has_seen(self, org_name: str) -> frozenset[DomainName]:
        """The domains that verified reports under this name came from."""
        return self.seen.get(_folded(org_name), frozenset())

    def vouches(self, org_name: str, domain: DomainName) -> bool | None:
        """Whether this domain reports under this name; ``None`` where nobody has vouched for the name."""
        domains = self.vouched.get(_folded(org_name))
        return None if domains is None else any(domain.is_within(known) for known in domains)

    def learn(self, org_name: str, domain: DomainName) -> Registry:
        """The registry after a verified report."""
        return self.learn_all([(org_name, domain)])

    def learn_all(self, pairs: Iterable[tuple[str, DomainName]]) -> Registry:
        """The registry after many, each a name with its domain. Bounds: 10,000 names, 100 domains of each."""
        seen = dict(self.seen)
        for org_name, domain in pairs:
            key = _folded(org_name)
            known = seen.get(key, frozenset())
            if domain not in known and len(known) < _MAX_DOMAINS and (known or len(seen) < _MAX_NAMES):
                seen[key] = known | {domain}
        return self if len(seen) == len(self.seen) and seen == self.seen else Registry(seen, self.vouched)

    def vouch(self, org_name: str, domain: DomainName) -> Registry:
        """The registry after the operator said that a name belongs to a domain."""
        known = self.vouched.get(_folded(org_name), frozenset()) | {domain}
        return Registry(self.seen, {**self.vouched, _folded(org_name): known})

    def vouch_all(self, pairs: Iterable[tuple[str, DomainName]]) -> Registry:
        """The registry after many such words."""
        registry = self
        for org_name, domain in pairs:
            registry = registry.vouch(org_name, domain)
        return registry


KNOWN_REPORTERS: Final = Registry()
"""The registry that comes with mailguard."""


@dataclass(frozen=True, slots=True)
class Claims:
    """The domains that a report names as its sender's; the root where it names none."""

    email: DomainName
    org_name: DomainName
    submitter: DomainName

    @property
    def inside(self) -> tuple[DomainName, ...]:
        """Those that stand in the report itself, which the subject of the mail does not change."""
        return tuple(domain for domain in (self.email, self.org_name) if domain)


def claims_of(report: AggregateReport, submitter: str) -> Claims:
    """The domain of the report's email, its org_name if that is a domain name, and the subject's Submitter."""
    return claims_in(report.email, report.org_name, submitter)


def claims_in(email: str, org_name: str, submitter: str) -> Claims:
    """The same for a report of any kind."""
    match = _ADDRESS.search(email)
    return Claims(domain_in(match[1]) if match else ROOT, domain_in(org_name.strip()), domain_in(submitter))
