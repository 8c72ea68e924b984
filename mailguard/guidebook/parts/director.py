"""Page one, for the director: three lights, what may happen, what it costs, the one decision, and what stays open."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from mailguard.guidebook.actors import Actor
from mailguard.guidebook.blocks import (
    Block,
    Bullets,
    Callout,
    Heading,
    Paragraph,
    Part,
    Reader,
    Signal,
    Signals,
    Table,
    Tone,
)
from mailguard.guidebook.case import Case
from mailguard.guidebook.signals import Decision, Shown, decision, harms, three_lights
from mailguard.guidebook.tasks import Plan, Stage, Work
from mailguard.guidebook.telling import effort, plan_of
from mailguard.guidebook.texts import Texts


def make(case: Case, texts: Texts) -> Part:
    """The director's page. It is for everybody: whoever does the work should know what was asked for."""
    plan = plan_of(case)
    return Part(
        id="director",
        title=texts("director.title"),
        blocks=tuple(_blocks(case, plan, texts)),
        readers=frozenset((Reader.DIRECTOR, Reader.IT)),
        one_page=True,
    )


def _blocks(case: Case, plan: Plan, texts: Texts) -> Iterator[Block]:
    lights = three_lights(case.document, case.traffic)
    yield Signals(tuple(_signal(shown, texts) for shown in lights))
    yield Heading(texts("director.harms"))
    yield Bullets(tuple((Paragraph(texts(f"director.harm.{harm}")),) for harm in harms(case.document, lights)))
    yield Heading(texts("director.cost"))
    yield from _cost(plan, texts)
    yield _decision(case, plan, texts)
    yield Heading(texts("director.limits"))
    yield Paragraph(texts("director.limits.text"))


def _signal(shown: Shown, texts: Texts) -> Signal:
    return Signal(
        tone=shown.tone,
        word=texts(f"director.word.{shown.tone}"),
        title=texts(f"director.light.{shown.light}"),
        text=texts(
            f"director.{shown.light}.{shown.why}", messages=shown.messages, failed=shown.failed, others=shown.others
        ),
    )


def _cost(plan: Plan, texts: Texts) -> Iterator[Block]:
    actors = tuple(actor for actor in Actor if plan.minutes(actor)[1])
    if actors:
        # One row, because a page has few.
        head = tuple(texts(f"todo.actor.{actor}") for actor in actors)
        row = tuple(effort(plan.minutes(actor), texts) for actor in actors)
        yield Table(head, (row,), row_heads=False)
    yield Paragraph(texts("director.cost.price" if actors else "director.cost.nothing"), tone=Tone.QUIET)


def _decision(case: Case, plan: Plan, texts: Texts) -> Callout:
    """The decision with the day of the first work: what is asked of others goes out before."""
    wanted = decision(case.document, plan)
    due = min((task.due for task in plan.tasks if task.stage not in _LATER), default=_last_day(case, plan, wanted))
    return Callout(texts("director.decision"), (Paragraph(texts(f"director.decision.{wanted}", due=due)),))


_LATER = (Stage.LATER, Stage.WATCH)


def _last_day(case: Case, plan: Plan, wanted: Decision) -> date:
    """A waiver's own where it is all that is left to decide about."""
    waivers = [task.due for task in plan.tasks if task.work is Work.REVIEW_WAIVERS and wanted is Decision.REVIEW]
    return min(waivers, default=case.first_due)
