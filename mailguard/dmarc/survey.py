"""What DMARC facts are visible for one domain, in two rounds of questions.

Round one: ``_dmarc`` of the domain and of every name that a tree walk or a receiver of RFC 7489 would look at, and the
TXT records of the domain itself. Round two: whether report destinations outside consent; and, where the domain has no
record of its own, the places where one ends up by mistake.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from mailguard.dmarc.destination import Destination, check_destinations
from mailguard.dmarc.discovery import Discovery, Effective, discover, effective, some_child
from mailguard.dmarc.legacy import Legacy, organizational_domain, read_legacy
from mailguard.dmarc.nearmiss import near_miss
from mailguard.dmarc.record import Record, Treatment, is_dmarc_record, text_of
from mailguard.dmarc.walk import Node, Walk, read_walk, take_nodes, walk_names
from mailguard.inquiry import Answer, Inquiry, Question, RRType, ask, ask_all, both
from mailguard.names import DomainName


class DmarcStatus(StrEnum):
    """The state of DMARC for a domain, in one word."""

    VALID = "valid"  # a record counts, and its policies are used as published
    NONE = "none"  # there is no record, nor a text that was meant to be one
    INVALID = "invalid"  # what was published is unusable, or is used only as p=none
    UNANSWERED = "unanswered"  # an answer that decides it is missing


class WrongPlace(StrEnum):
    """A name at which a record ends up by mistake."""

    APEX = "apex"  # at the domain itself, without _dmarc
    NO_UNDERSCORE = "no-underscore"  # at dmarc.<domain>
    DOUBLED = "doubled"  # at _dmarc.<domain>.<domain>: a panel put the domain behind a full name


@dataclass(frozen=True, slots=True)
class Misplaced:
    """A DMARC record at a name where nobody looks."""

    place: WrongPlace
    answer: Answer
    text: str


@dataclass(frozen=True, slots=True)
class DmarcSurvey:
    """DMARC facts of a domain.

    ``nodes`` holds everything asked at a ``_dmarc`` name, the domain first. ``record`` and ``policy_domain`` are what
    counts for the domain itself, possibly inherited; ``None`` where there is none or it is not known.
    """

    domain: DomainName
    txt: Answer  # TXT at _dmarc.<domain>
    apex: Answer  # TXT at <domain>
    nodes: Mapping[DomainName, Node]
    walk: Walk
    discovery: Discovery
    effective: Effective
    legacy: Legacy
    destinations: tuple[Destination, ...] = ()
    misplaced: tuple[Misplaced, ...] = ()

    @property
    def own(self) -> Node:
        """What stands at ``_dmarc.<domain>``."""
        return self.nodes[self.domain]

    @property
    def record(self) -> Record | None:
        """The record that counts for the domain."""
        return self.discovery.record

    @property
    def policy_domain(self) -> DomainName | None:
        """The domain at which that record was found."""
        return self.discovery.policy_domain

    @property
    def organizational_domain(self) -> DomainName | None:
        """The organizational domain by the tree walk; ``None`` where an answer is missing."""
        return self.walk.organizational_domain

    @property
    def below(self) -> Discovery:
        """The record that counts for a subdomain without one of its own."""
        return discover(some_child(self.domain), self.nodes)

    @property
    def is_one_with_subdomains(self) -> bool:
        """Whether the domain and names below it are one organisation; true also where that is not known."""
        below = read_walk(some_child(self.domain), self.nodes).organizational_domain
        return below is None or self.organizational_domain in (None, below)

    @property
    def inherited(self) -> bool:
        """Whether the record that counts was found at another domain."""
        return self.policy_domain is not None and self.policy_domain != self.domain

    @property
    def testing(self) -> bool:
        """Whether the record that counts is in test mode (t=y)."""
        return self.record is not None and self.record.t

    @property
    def near_misses(self) -> tuple[str, ...]:
        """Texts at ``_dmarc.<domain>`` that were meant to be a record and are none."""
        return tuple(text for text in self.own.others if near_miss(text))

    @property
    def crowded(self) -> Node | None:
        """The place with several records that keeps the domain from a record: its own, else the first above."""
        if self.record is not None or self.discovery.unanswered:
            return self.own if len(self.own.records) > 1 else None
        return next((node for node in self.walk.nodes if len(node.records) > 1), None)

    @property
    def status(self) -> DmarcStatus:
        """The state in one word."""
        if self.discovery.unanswered:
            return DmarcStatus.UNANSWERED
        if self.record is not None:
            applies = self.record.treatment is Treatment.APPLY
            return DmarcStatus.VALID if applies else DmarcStatus.INVALID
        published = any(node.records for node in self.walk.nodes) or self.near_misses
        return DmarcStatus.INVALID if published else DmarcStatus.NONE


def survey_dmarc(domain: DomainName) -> Inquiry[DmarcSurvey]:
    """Collect the DMARC facts of ``domain``: two rounds, 3 to 5 questions as a rule, never more than 57."""
    names = dict.fromkeys((*walk_names(domain), organizational_domain(domain)))
    nodes, apex = yield from both(take_nodes(names), ask(Question(domain, RRType.TXT)))
    discovery = discover(domain, nodes)
    destinations, misplaced = yield from both(
        _check_destinations(discovery, nodes),
        _look_elsewhere(domain, nodes[domain], apex),
    )
    return DmarcSurvey(
        domain=domain,
        txt=nodes[domain].answer,
        apex=apex,
        nodes=nodes,
        walk=read_walk(domain, nodes),
        discovery=discovery,
        effective=effective(domain, nodes, _exists(apex)),
        legacy=read_legacy(domain, nodes),
        destinations=destinations,
        misplaced=misplaced,
    )


def _exists(apex: Answer) -> bool | None:
    return None if apex.unanswered else not apex.denies_name


def _check_destinations(discovery: Discovery, nodes: Mapping[DomainName, Node]) -> Inquiry[tuple[Destination, ...]]:
    if discovery.record is None or discovery.policy_domain is None:
        return ()
    return (yield from check_destinations(discovery.record, discovery.policy_domain, nodes))


def _look_elsewhere(domain: DomainName, own: Node, apex: Answer) -> Inquiry[tuple[Misplaced, ...]]:
    """Where else the record may stand; asked only where a server said that none stands in its place."""
    found = _misplaced(WrongPlace.APEX, apex)
    if own.unanswered or own.records:
        return found
    doubled = domain.child("_dmarc", *domain.labels)
    places = [(WrongPlace.NO_UNDERSCORE, domain.child("dmarc")), (WrongPlace.DOUBLED, doubled)]
    places = [(place, at) for place, at in places if at.is_askable]
    answers = yield from ask_all([Question(at, RRType.TXT) for _, at in places])
    for (place, _), answer in zip(places, answers, strict=True):
        found += _misplaced(place, answer)
    return found


def _misplaced(place: WrongPlace, answer: Answer) -> tuple[Misplaced, ...]:
    texts = sorted(text_of(octets) for octets in answer.texts)
    return tuple(Misplaced(place, answer, text) for text in texts if is_dmarc_record(text))
