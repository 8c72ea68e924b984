"""Which company is asked for what, and when it may begin. In no language.

There is one letter for each kind of vendor that has a task, because from outside nobody sees with whom the hospital
has its contracts. A vendor works on what it is asked for; so each request says what has to come first, and who says
that it has.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from mailguard.guidebook.actors import Actor, companies
from mailguard.guidebook.case import Case
from mailguard.guidebook.exposure import Exposure, judge_exposure
from mailguard.guidebook.tasks import Plan, Stage, Task, Work
from mailguard.guidebook.unused import is_without_mail
from mailguard.guidebook.works import NEXT_TIME
from mailguard.providers import Provider

Document = dict[str, Any]
Place = tuple[str, str]
"""Name and type of a record set."""

VENDORS: Final = (Actor.DNS, Actor.MAIL, Actor.WEB)


class Moment(StrEnum):
    """When a vendor may begin."""

    NOW = "now"
    AFTER = "after"  # when the hospital says that something else is done
    DECISION = "decision"  # when the reports have been read and the hospital has decided
    SOME_DAY = "some-day"  # it costs nobody a mail today


class Why(StrEnum):
    """What the hospital gives as its reason."""

    OPEN = "open"  # others can send in its name
    UNUSED = "unused"  # the domain is not for mail
    TIDY = "tidy"  # neither: something is to be put right
    SENDERS = "senders"  # it has to know who sends in its name


@dataclass(frozen=True, slots=True)
class Request:
    """One task as it stands in a letter.

    ``first`` are the tasks that come first, the sending of the letter left out. ``overtaken``: another task writes one
    of its records anew before its turn comes, so what is there then is not what was seen.
    """

    task: Task
    moment: Moment
    first: tuple[Task, ...]
    overtaken: bool = False

    @property
    def records(self) -> tuple[Document, ...]:
        """The records of its fixes, as they stand in the findings."""
        return tuple(record for fix in self.task.fixes for record in fix["records"])

    @property
    def options(self) -> tuple[Document, ...]:
        """Fixes of which only one can be taken, because another would write one of its record sets too."""
        counted = Counter(place for fix in self.task.fixes for place in {place_of(one) for one in fix["records"]})
        contested = {place for place, count in counted.items() if count > 1}
        return tuple(fix for fix in self.task.fixes if not contested.isdisjoint(map(place_of, fix["records"])))

    @property
    def plain_fixes(self) -> tuple[Document, ...]:
        """The fixes that stand alone."""
        return tuple(fix for fix in self.task.fixes if fix not in self.options)


@dataclass(frozen=True, slots=True)
class Letter:
    """What one vendor is asked for, in the order of the work."""

    actor: Actor
    companies: tuple[Provider, ...]
    why: Why
    requests: tuple[Request, ...]

    @property
    def company(self) -> Provider | None:
        """To whom it is addressed: the only company seen. Of several nobody can tell from outside who serves what."""
        return self.companies[0] if len(self.companies) == 1 else None

    @property
    def due(self) -> date:
        """The day of the first request that need not wait; without one, that of the first."""
        at_once = [one.task.due for one in self.requests if one.moment is Moment.NOW]
        return min(at_once or [one.task.due for one in self.requests])


def make_letters(case: Case, plan: Plan) -> tuple[Letter, ...]:
    """A letter for each vendor with a task. Never raises."""
    return tuple(_letter(actor, case, plan) for actor in VENDORS if _asked_of(actor, plan))


def _asked_of(actor: Actor, plan: Plan) -> tuple[Task, ...]:
    return tuple(task for task in plan.of(actor) if task.work not in NEXT_TIME)


def is_value_open(task: Task) -> bool:
    """Whether the hospital still owes the value that is to be published."""
    return task.work in _PUBLISHED and not task.fixes


_PUBLISHED: Final = frozenset(
    {Work.PUBLISH_SPF, Work.PUBLISH_PARKED, Work.START_DMARC, Work.REPAIR_DMARC, Work.TIGHTEN}
)
"""Works that publish what only the hospital can settle; what the mail provider settles is asked of that provider."""


def place_of(record: Document) -> Place:
    """Where a record of a fix stands."""
    return record["name"], record["type"]


def _letter(actor: Actor, case: Case, plan: Plan) -> Letter:
    requests = tuple(_request(task, plan) for task in _asked_of(actor, plan))
    return Letter(actor, companies(case, actor), _why(actor, case.document), requests)


def _why(actor: Actor, document: Document) -> Why:
    if actor is Actor.WEB:
        return Why.SENDERS
    if is_without_mail(document):
        return Why.UNUSED
    return Why.OPEN if judge_exposure(document) is Exposure.OPEN else Why.TIDY


def _request(task: Task, plan: Plan) -> Request:
    first = tuple(one for one in plan.tasks if one.number in task.after and one.work is not Work.SEND_REQUESTS)
    earlier = frozenset(_places(one for one in plan.tasks if one.number < task.number))
    return Request(task, _moment(task, first), first, overtaken=not earlier.isdisjoint(_places([task])))


def _moment(task: Task, first: tuple[Task, ...]) -> Moment:
    if task.stage is Stage.TIGHTEN:
        return Moment.DECISION
    if first or is_value_open(task):
        return Moment.AFTER
    return Moment.SOME_DAY if task.stage is Stage.LATER else Moment.NOW


def _places(tasks: Iterable[Task]) -> Iterator[Place]:
    for task in tasks:
        yield from (place_of(record) for fix in task.fixes for record in fix["records"])
