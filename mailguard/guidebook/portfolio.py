"""Many clinics side by side: where each stands, what several have in common, what has moved. In no language.

Nobody is ranked. Clinics stand in groups by the step that comes next, within a group the one with the least work first.
With hidden names a clinic has a number made of its name and of a key, which whoever makes the report keeps. With the
same key a clinic has the same number in every report; without the key the list of members does not help to find out
which is which. What the report tells of a clinic may give it away all the same: a provider that only one of them uses.
"""

from __future__ import annotations

import hmac
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
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
    """One clinic. ``label`` is its number where names are hidden, else 0."""

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
    """All clinics. With a ``key`` no page may name one, and numbers stand for them; it stands in no book itself."""

    members: tuple[Member, ...]
    shared: tuple[Shared, ...]
    key: bytes = field(default=b"", repr=False)

    @property
    def hidden(self) -> bool:
        """Whether names are hidden."""
        return bool(self.key)

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


def make_portfolio(cases: Sequence[Case], *, key: bytes = b"") -> Portfolio:
    """The portfolio of audits, with hidden names where there is a ``key``: random bytes, 16 or more. Never raises."""
    labels = _labels(cases, key)
    members = tuple(_member(case, labels[case.document["domain"]]) for case in cases)
    return Portfolio(members, tuple(_shared(members)), key)


_LEAST_NUMBER: Final = 100_000
_NUMBERS: Final = 900_000
"""Numbers have six digits, so that a thousand clinics seldom meet in one, and their count and order say nothing."""


def _labels(cases: Sequence[Case], key: bytes) -> dict[str, int]:
    """A number for each domain, which only the key gives. Where two meet in one, the second takes the next."""
    if not key:
        return {case.document["domain"]: 0 for case in cases}
    drawn = {_drawn(case.document["domain"], key): case.document["domain"] for case in cases}
    labels: dict[str, int] = {}
    taken: set[int] = set()
    for digest in sorted(drawn):
        number = int.from_bytes(digest[:8], "big") % _NUMBERS
        while number in taken:
            number = (number + 1) % _NUMBERS
        taken.add(number)
        labels[drawn[digest]] = _LEAST_NUMBER + number
    return labels


def _drawn(domain: str, key: bytes) -> bytes:
    return hmac.digest(key, domain.encode(), "sha256")


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
