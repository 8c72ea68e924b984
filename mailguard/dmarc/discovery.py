"""Which record counts for an author domain, and what it asks receivers to do (RFC 9989 section 4.10.1).

The record at the author domain itself counts if there is exactly one. Otherwise it is the record of the organizational
domain, which is *not* the nearest ancestor with a record: one in between is never used. Only where the organizational
domain has none either, that of a public suffix domain (``psd=y``) counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from mailguard.dmarc.record import Policy, Record, Treatment
from mailguard.dmarc.walk import Node, read_walk
from mailguard.names import DomainName


class Place(StrEnum):
    """What an author domain is, seen from the record that counts for it."""

    DOMAIN = "domain"  # the name that bears the record
    SUBDOMAIN = "subdomain"  # a name below it that exists
    NONEXISTENT = "nonexistent-subdomain"  # a name below it that does not exist (section 3.2.13: NXDOMAIN)


class Outcome(StrEnum):
    """What receivers that honour DMARC are asked to do with mail that fails it."""

    REJECT = "reject"
    QUARANTINE = "quarantine"
    NONE = "none"
    ABSENT = "absent"  # there is no policy: DMARC is not applied
    UNANSWERED = "unanswered"  # an answer that decides it is missing

    @property
    def enforces(self) -> bool:
        """Whether failing mail is to be treated otherwise than passing mail."""
        return self in (Outcome.REJECT, Outcome.QUARANTINE)

    @property
    def rank(self) -> int:
        """Strength: 0 for no policy or none known, 1 none, 2 quarantine, 3 reject."""
        return {Outcome.REJECT: 3, Outcome.QUARANTINE: 2, Outcome.NONE: 1}.get(self, 0)


@dataclass(frozen=True, slots=True)
class Discovery:
    """The record that counts for an author domain.

    ``unanswered`` is set where a missing answer could have changed it; ``record`` is then ``None``.
    """

    policy_domain: DomainName | None
    record: Record | None
    unanswered: bool = False


def discover(author: DomainName, nodes: Mapping[DomainName, Node]) -> Discovery:
    """Policy discovery for ``author`` over answers that are at hand (section 4.10.1).

    An author domain that is not in ``nodes`` is taken to have no record of its own.
    """
    own = nodes.get(author)
    if own is not None and own.record:
        return Discovery(author, own.record)
    # The walk begins at the author domain, so that an unanswered question there makes its outcome unknown, too.
    walk = read_walk(author, nodes)
    organizational = walk.organizational_domain
    if organizational is None:
        return Discovery(None, None, unanswered=True)
    found = dict(walk.found)
    if organizational in found:
        return Discovery(organizational, found[organizational])
    return Discovery(*walk.suffix) if walk.suffix else Discovery(None, None)


def requested(record: Record, place: Place) -> Policy | None:
    """The policy that a record asks for, test mode included; ``None`` where DMARC is not to be applied at all."""
    if record.treatment is Treatment.IGNORE:
        return None
    if record.treatment is Treatment.MONITOR:
        return Policy.NONE
    policy = published(record, place)
    # 4.7 "t": y asks for one level less; nothing is less than none.
    return policy.lowered if policy and record.t else policy


def published(record: Record, place: Place) -> Policy | None:
    """The policy published for a place, before test mode and before the fall-backs of section 4.10.1."""
    # 4.7: sp stands in for p below the domain, np for sp where the name does not exist.
    if place is Place.DOMAIN:
        return record.p
    if place is Place.SUBDOMAIN:
        return record.sp or record.p
    return record.np or record.sp or record.p


def outcome(discovery: Discovery, place: Place) -> Outcome:
    """What receivers are asked to do with failing mail of an author domain whose record was discovered."""
    if discovery.unanswered:
        return Outcome.UNANSWERED
    policy = requested(discovery.record, place) if discovery.record else None
    return Outcome(policy.value) if policy else Outcome.ABSENT


@dataclass(frozen=True, slots=True)
class Effective:
    """What is asked of receivers for the domain itself, for a subdomain that exists and for one that does not.

    The subdomains are those without a record of their own.
    """

    domain: Outcome
    subdomain: Outcome
    nonexistent_subdomain: Outcome


def outcome_of_self(domain: DomainName, discovery: Discovery, exists: bool | None) -> Outcome:
    """The outcome for the author domain itself. ``exists`` is ``None`` where that is not known."""
    if discovery.policy_domain == domain:
        return outcome(discovery, Place.DOMAIN)
    there, not_there = outcome(discovery, Place.SUBDOMAIN), outcome(discovery, Place.NONEXISTENT)
    if exists is None:
        return there if there is not_there else Outcome.UNANSWERED
    return there if exists else not_there


def effective(domain: DomainName, nodes: Mapping[DomainName, Node], exists: bool | None) -> Effective:
    """The three outcomes for a domain; ``nodes`` are the names of its walk."""
    below = discover(some_child(domain), nodes)
    return Effective(
        outcome_of_self(domain, discover(domain, nodes), exists),
        outcome(below, Place.SUBDOMAIN),
        outcome(below, Place.NONEXISTENT),
    )


def some_child(domain: DomainName) -> DomainName:
    """A name directly below ``domain`` that stands for all without a record of their own; it is never asked for."""
    return domain.child("any-subdomain")
