"""How a receiver that still works by RFC 7489 reads the same records.

What it does otherwise, as far as it changes an outcome:

* The organizational domain comes from the Public Suffix List (section 3.2), not from a tree walk.
* Several records at the author domain end the discovery (section 6.6.3 step 5); there is no falling through.
* ``np``, ``psd`` and ``t`` are unknown tags: an unknown subdomain gets ``sp``, test mode is not noticed.
* ``pct`` counts (section 6.6.4): mail outside the sample gets the next milder policy.

The list is data of the ``publicsuffixlist`` package. It is read once, at first use (about 40 ms), or passed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from mailguard.dmarc.discovery import Discovery, Effective, Outcome, some_child
from mailguard.dmarc.record import Policy, Record, Treatment
from mailguard.dmarc.walk import Node
from mailguard.names import DomainName


class SuffixList(Protocol):
    """The one question that we ask of a public suffix list."""

    def privatesuffix(self, domain: str) -> str | None:
        """The registrable domain: a public suffix and one more label; ``None`` for a public suffix."""


@cache
def public_suffix_list() -> SuffixList:
    """The list that comes with the installed package."""
    from publicsuffixlist import PublicSuffixList

    suffixes: SuffixList = PublicSuffixList()
    return suffixes


def organizational_domain(domain: DomainName, suffixes: SuffixList | None = None) -> DomainName:
    """The organizational domain by the Public Suffix List (RFC 7489 section 3.2); a public suffix is its own."""
    registrable = (suffixes or public_suffix_list()).privatesuffix(str(domain))
    return DomainName(registrable) if registrable else domain


def is_public_suffix(domain: DomainName, suffixes: SuffixList | None = None) -> bool:
    """Whether the list names ``domain`` as a suffix below which others register their domains."""
    return (suffixes or public_suffix_list()).privatesuffix(str(domain)) is None


@dataclass(frozen=True, slots=True)
class Legacy:
    """The outcomes by RFC 7489.

    ``effective`` is what happens to mail inside the sample; where ``pct`` is 0 to 99, the rest of the failing mail gets
    the next milder policy. With ``pct=0`` nothing is inside the sample, so ``effective`` is the milder policy already.
    """

    organizational_domain: DomainName
    policy_domain: DomainName | None
    effective: Effective
    pct: int


def read_legacy(domain: DomainName, nodes: Mapping[DomainName, Node], suffixes: SuffixList | None = None) -> Legacy:
    """The outcomes by RFC 7489 for ``domain``; ``nodes`` must hold it and its organizational domain by the list."""
    own = discover_legacy(domain, nodes, suffixes)
    below = discover_legacy(some_child(domain), nodes, suffixes)
    sub = _outcome(below, is_subdomain=True)
    at_domain = _outcome(own, is_subdomain=own.policy_domain != domain)
    pct = _pct(own.record) if own.record else 100
    return Legacy(organizational_domain(domain, suffixes), own.policy_domain, Effective(at_domain, sub, sub), pct)


def discover_legacy(
    author: DomainName, nodes: Mapping[DomainName, Node], suffixes: SuffixList | None = None
) -> Discovery:
    """Policy discovery by RFC 7489 section 6.6.3. A name that is not in ``nodes`` has no record."""
    own = nodes.get(author)
    if own is not None and own.unanswered:
        return Discovery(None, None, unanswered=True)
    if own is not None and own.records:
        # Step 5: several records end the discovery.
        return Discovery(author, own.record) if own.record else Discovery(None, None)
    above = nodes.get(organizational_domain(author, suffixes))
    if above is None or above is own:
        return Discovery(None, None)
    if above.unanswered:
        return Discovery(None, None, unanswered=True)
    return Discovery(above.domain, above.record) if above.record else Discovery(None, None)


def _outcome(discovery: Discovery, *, is_subdomain: bool) -> Outcome:
    if discovery.unanswered:
        return Outcome.UNANSWERED
    policy = requested_by_legacy(discovery.record, is_subdomain) if discovery.record else None
    return Outcome(policy.value) if policy else Outcome.ABSENT


def requested_by_legacy(record: Record, is_subdomain: bool) -> Policy | None:
    """The policy that a record asks for by RFC 7489; ``None`` where DMARC is not to be applied at all."""
    # Section 6.6.3 step 6: like RFC 9989 4.10.1, but np is unknown.
    treatment = record.treated(("sp",))
    if treatment is not Treatment.APPLY:
        return Policy.NONE if treatment is Treatment.MONITOR else None
    policy = (record.sp or record.p) if is_subdomain else record.p
    return policy.lowered if policy and _pct(record) == 0 else policy


def _pct(record: Record) -> int:
    # Section 6.3 "pct": default 100; a value that cannot be read gives the default.
    return 100 if record.pct is None else record.pct
