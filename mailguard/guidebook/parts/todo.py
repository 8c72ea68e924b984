"""Who does what, in which order, until when."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.guidebook.actors import Actor, companies
from mailguard.guidebook.blocks import (
    Block,
    Bullets,
    Callout,
    Card,
    Heading,
    Kind,
    Paragraph,
    Part,
    Reader,
    Rich,
    Span,
    Table,
    Tone,
    fact,
)
from mailguard.guidebook.case import Case
from mailguard.guidebook.tasks import Plan, Stage, Task, Work
from mailguard.guidebook.telling import effort, link_to, listed, name_of, plan_of, task_anchor, unique
from mailguard.guidebook.texts import Texts


def make(case: Case, texts: Texts) -> Part:
    """The tasks, first all in their order, then by who does them. Vendors get theirs as a letter."""
    plan = plan_of(case)
    return Part(
        id="todo",
        title=texts("todo.title"),
        blocks=tuple(_blocks(case, plan, texts)),
        readers=frozenset((Reader.DIRECTOR, Reader.IT)),
    )


def _blocks(case: Case, plan: Plan, texts: Texts) -> Iterator[Block]:
    yield Paragraph(texts(f"todo.lead.{_situation(plan)}"), lead=True)
    yield _overview(plan, texts)
    yield Paragraph(texts("todo.dates"), tone=Tone.QUIET)
    for actor in plan.actors:
        yield Heading(texts(f"todo.actor.{actor}"))
        yield Paragraph(_who(case, actor, texts))
        yield from (_card(task, case, texts) for task in plan.of(actor))


def _situation(plan: Plan) -> str:
    if plan.has(Work.PUBLISH_PARKED):
        return "parked"
    if plan.has(Work.AUDIT_AGAIN) and all(task.actor is Actor.HOSPITAL for task in plan.tasks):
        return "unanswered"
    return "good" if plan.is_only_watching else "work"


def _overview(plan: Plan, texts: Texts) -> Table:
    columns = ("number", "what", "who", "effort", "after", "due")
    rows = tuple(_row(task, texts) for task in plan.tasks)
    return Table(
        tuple(texts(f"todo.column.{column}") for column in columns),
        rows,
        row_heads=False,
        widths=(7, 28, 17, 15, 8, 25),
    )


def _row(task: Task, texts: Texts) -> tuple[Rich, ...]:
    title = texts.plain(f"todo.work.{task.work}")
    return (
        texts("todo.number", number=task.number),
        (Span(title, Kind.LINK, f"#{task_anchor(task)}"),),
        texts(f"todo.actor.{task.actor}"),
        effort(task.minutes, texts),
        texts("todo.after.none") if not task.after else _numbers(task, texts),
        texts("todo.day", due=task.due),
    )


def _numbers(task: Task, texts: Texts) -> Rich:
    return texts("todo.after", numbers=listed(task.after, texts))


def _who(case: Case, actor: Actor, texts: Texts) -> Rich:
    seen = companies(case, actor)
    if not seen:
        return texts(f"todo.who.{actor}")
    return texts("todo.who.seen", companies=listed((name_of(one, texts) for one in seen), texts))


def _card(task: Task, case: Case, texts: Texts) -> Card:
    tone = Tone.GOOD if task.stage is Stage.WATCH else Tone.QUIET  # a task is nothing to be alarmed about
    title = texts("todo.card", number=task.number, work=texts(f"todo.work.{task.work}"))
    return Card(title, tuple(_told(task, case, texts)), tone, anchor=task_anchor(task))


def _told(task: Task, case: Case, texts: Texts) -> Iterator[Block]:
    yield Paragraph(texts(f"todo.do.{task.work}"))
    yield Paragraph(texts("todo.when", due=task.due, effort=effort(task.minutes, texts)))
    if task.after:
        yield Paragraph(texts("todo.waits", numbers=_numbers(task, texts)))
    findings = unique(case.document["findings"][index] for index in task.findings)
    if findings:
        yield Paragraph(texts("todo.because"))
        yield Bullets(tuple((Paragraph(link_to(finding, texts)),) for finding in findings))
    if task.fixes:
        names = dict.fromkeys(f"{record['name']} {record['type']}" for fix in task.fixes for record in fix["records"])
        yield Callout(
            texts("todo.records"), (Bullets(tuple((Paragraph((fact(name),)),) for name in names)),), Tone.QUIET
        )
