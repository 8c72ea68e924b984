"""check_host for all addresses at once: which ones pass, and where evaluation breaks off.

Walks a tree in the order of evaluation and keeps the set of addresses that no term has matched yet. What a ``-ip4``
takes away early cannot pass later; behind a term that is ``permerror`` nothing passes any more.

Two simplifications, both towards fewer look-ups being left: every address is charged for all terms in front of it
(an address that a child record refuses early would be charged less), and void look-ups only end the walk when asked to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from mailguard.spf.expansion import Branch, BranchStatus, Published
from mailguard.spf.limits import MAX_LOOKUPS, lookup_cost
from mailguard.spf.networks import network_of
from mailguard.spf.space import EMPTY, EVERYTHING, Network, Space, space_of
from mailguard.spf.terms import Directive, Kind, Modifier, Qualifier

UNLIMITED: Final = 1 << 30


@dataclass(slots=True)
class Reach:
    """Who passes, for one IP version.

    ``passes`` holds the addresses that certainly pass, ``maybe`` those that pass if nothing that could not be seen
    prevents it. ``open`` says that more addresses may pass: an include that was not answered, or a dynamic term.
    ``stopped_at`` is the branch at which evaluation breaks off with permerror for every address still unmatched.
    """

    version: int
    passes: Space
    maybe: Space
    unanswered: bool = False  # a term that could let addresses pass was not answered
    dynamic: bool = False  # a term that could let addresses pass depends on the message
    stopped_at: Branch | None = None
    lookups: int = 0
    voids: int = 0
    max_voids: int = UNLIMITED
    passing: list[tuple[Branch, Space]] = field(default_factory=list)  # what a term adds; networks in a row together


def reach(published: Published, version: int, max_voids: int = UNLIMITED) -> Reach:
    """Evaluate a tree for all addresses of one IP version. ``max_voids``: 2 for receivers that are strict about it."""
    found = Reach(version, EMPTY[version], EMPTY[version], max_voids=max_voids)
    found.passes = _Walk(found).record(published, EVERYTHING[version], top=True)
    return found


class _Walk:
    """One evaluation; ``blocked`` once something unseen may keep later terms from being reached."""

    def __init__(self, found: Reach) -> None:
        self._found = found
        self._blocked = False

    def record(self, published: Published, left: Space, *, top: bool = False) -> Space:
        """The addresses out of ``left`` that pass."""
        found = self._found
        passes = EMPTY[found.version]
        for (qualifier, _), group in groupby(published.branches, key=_group):
            branches = tuple(group)
            self._charge(branches[0])
            if found.stopped_at or not left.ranges:
                break
            matched = self._matched(branches, qualifier, left)
            if not matched.ranges:
                continue
            if qualifier is Qualifier.PASS and not self._blocked:
                passes |= matched
                if top:
                    found.passing.extend((branch, matched) for branch in branches)
            elif qualifier is Qualifier.PASS:
                found.maybe |= matched
            left = left - matched
        return passes

    def _charge(self, branch: Branch) -> None:
        if not branch.lookups or self._found.stopped_at:
            return
        found = self._found
        found.lookups += lookup_cost(branch.term)
        found.voids += branch.is_void(found.version)
        # Section 4.6.4: the eleventh look-up, and for strict receivers the third void one, is permerror.
        if found.lookups > MAX_LOOKUPS or found.voids > found.max_voids:
            found.stopped_at = branch

    def _matched(self, branches: tuple[Branch, ...], qualifier: Qualifier, left: Space) -> Space:
        found, branch = self._found, branches[0]
        term = branch.term
        if isinstance(term, Directive) and term.kind is Kind.ALL:
            return left
        if _is_network(branch):
            networks = (item.term.network for item in branches if isinstance(item.term, Directive))
            return _common(left, space_of(found.version, filter(None, networks)))
        if not branch.status.is_known:
            self._unseen(branch, qualifier)
            return EMPTY[found.version]
        if branch.below is not None or isinstance(term, Modifier) or term.kind is Kind.INCLUDE:
            return self._child(branch, left)
        if branch.status is BranchStatus.TOO_MANY_HOSTS:
            found.stopped_at = branch
            return EMPTY[found.version]
        if term.kind is Kind.EXISTS:
            return left if branch.status is BranchStatus.OK else EMPTY[found.version]
        return _common(left, space_of(found.version, _networks(branch, term, found.version)))

    def _child(self, branch: Branch, left: Space) -> Space:
        # Sections 5.2 and 6.1: a target without one readable record is permerror.
        if branch.status.breaks or branch.below is None:
            self._found.stopped_at = branch
            return EMPTY[self._found.version]
        return self.record(branch.below, left)

    def _unseen(self, branch: Branch, qualifier: Qualifier) -> None:
        # A stranger cannot make a reverse name of his own point back into somebody else's zone.
        if isinstance(branch.term, Directive) and branch.term.kind is Kind.PTR:
            return
        dynamic = branch.status is BranchStatus.DYNAMIC
        if qualifier is Qualifier.PASS and _could_be_wide(branch.term):
            self._found.dynamic |= dynamic
            self._found.unanswered |= not dynamic
        # What comes after a dynamic term with "+" is reached by whoever it does not let pass.
        self._blocked |= not dynamic or qualifier is not Qualifier.PASS


def _is_network(branch: Branch) -> bool:
    return isinstance(branch.term, Directive) and branch.term.network is not None


def _group(branch: Branch) -> tuple[Qualifier, int]:
    """Networks in a row with the same qualifier are one step, since nothing comes between them; others stand alone."""
    qualifier = branch.term.qualifier if isinstance(branch.term, Directive) else Qualifier.PASS
    return qualifier, -1 if _is_network(branch) else branch.term.start


def _could_be_wide(term: Directive | Modifier) -> bool:
    """Whether a term may stand for much more than somebody's own hosts; a and mx do only with a short prefix."""
    if isinstance(term, Modifier) or term.kind not in (Kind.A, Kind.MX):
        return True
    return (32 if term.prefix4 is None else term.prefix4) < 8 or (128 if term.prefix6 is None else term.prefix6) < 16


def _common(left: Space, other: Space) -> Space:
    return left - (left - other) if other.ranges else other


def _networks(branch: Branch, term: Directive, version: int) -> Iterator[Network]:
    bits = term.prefix4 if version == 4 else term.prefix6
    found = (network_of(address, bits) for address in branch.addresses(version))
    return (network for network in found if network is not None)
