"""Many clinics side by side: where each stands, what several have in common, what has moved. In no language.

Nobody is ranked. Clinics stand in groups by the step that comes next, within a group the one with the least work first.
With hidden names a clinic has a number that says nothing about it and stays the same as long as the list does. Whoever
has the list of domains can find out which is which; readers of the report cannot.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mailguard.guidebook.actors import Actor
from mailguard.guidebook.blocks import Tone
from mailguard.guidebook.case import Case
from mailguard.guidebook.difference import Difference, compare
from mailguard.guidebook.signals import Decision, Light, Shown, decision, three_lights
from mailguard.guidebook.tasks import Plan, make_plan
from mailguard.providers import Layer
from mailguard.render.reading import is_waived

Document = dict[str, Any]

LEAST_SHARED: Final = 2
"""Clinics at which the same finding with the same company makes it a shared one."""

_LAYERS: Final = {"SPF": (Layer.MAILBOX, Layer.OUTBOUND), "DKIM": (Layer.MAILBOX, Layer.OUTBOUND)}
_OTHERS: Final = (Layer.DNS,)
"""Whose work a finding's family usually is: the mail provider's, else the company's with the name servers."""


@dataclass(frozen=True, slots=True)
class Member:
    """One clinic. ``label`` is its number where names are hidden, else empty."""

    case: Case
    lights: tuple[Shown, Shown, Shown]
    plan: Plan
    step: Decision
    label: int
    lights_before: tuple[Shown, Shown, Shown] | None = None
    difference: Difference | None = None

    @property
    def minutes(self) -> tuple[int, int]:
        """Minutes of work in the house."""
        return self.plan.minutes(Actor.HOSPITAL)


@dataclass(frozen=True, slots=True)
class Shared:
    """One finding that several clinics with the same company have."""

    provider: str
    rule: str
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class Portfolio:
    """All clinics. ``hidden``: no page may name one."""

    members: tuple[Member, ...]
    shared: tuple[Shared, ...]
    hidden: bool = False

    def by_step(self) -> Iterator[tuple[Decision, tuple[Member, ...]]]:
        """The clinics by the step that comes next, in the order of ``Decision``."""
        for step in Decision:
            members = [member for member in self.members if member.step is step]
            if members:
                yield step, tuple(sorted(members, key=lambda one: (one.minutes, one.label, one.case.domain)))

    def tones(self, light: Light, *, before: bool = False) -> Counter[Tone]:
        """How many clinics have a light in which state, now or before."""
        shown = (member.lights_before if before else member.lights for member in self.members)
        return Counter(one.tone for lights in shown if lights for one in lights if one.light is light)

    @property
    def compared(self) -> tuple[Member, ...]:
        """Clinics of which there is an earlier audit."""
        return tuple(member for member in self.members if member.difference is not None)


def make_portfolio(cases: Sequence[Case], *, hidden: bool = False) -> Portfolio:
    """The portfolio of audits. Never raises."""
    labels = _labels(cases)
    members = tuple(_member(case, labels[case.document["domain"]]) for case in cases)
    return Portfolio(members, tuple(_shared(members)), hidden)


def _labels(cases: Sequence[Case]) -> dict[str, int]:
    """Numbers in an order that has nothing to do with the names' own, nor with what was found."""
    names = sorted({case.document["domain"] for case in cases}, key=lambda one: hashlib.sha256(one.encode()).digest())
    return {name: number for number, name in enumerate(names, 1)}


def _member(case: Case, label: int) -> Member:
    plan = make_plan(case.document, case.made_on, case.first_due)
    before = case.previous if case.previous and case.previous["domain"] == case.document["domain"] else None
    return Member(
        case=case,
        lights=three_lights(case.document, case.traffic),
        plan=plan,
        step=decision(case.document, plan),
        label=label,
        lights_before=three_lights(before, None) if before else None,
        difference=compare(before, case.document, case.evidence) if before else None,
    )


def _shared(members: Sequence[Member]) -> Iterator[Shared]:
    found: defaultdict[tuple[str, str], list[Member]] = defaultdict(list)
    for member in members:
        for key in dict.fromkeys(_faults(member)):
            found[key].append(member)
    ordered = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    for (provider, rule), hit in ordered:
        if len(hit) >= LEAST_SHARED:
            yield Shared(provider, rule, tuple(hit))


def _faults(member: Member) -> Iterator[tuple[str, str]]:
    for finding in member.case.document["findings"]:
        if finding["severity"] == "info" or is_waived(finding):
            continue
        family = finding["rule"].rstrip("0123456789")
        for provider in member.case.providers(*_LAYERS.get(family, _OTHERS)):
            yield provider.id, finding["rule"]
