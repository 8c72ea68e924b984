"""How the parts tell findings, tasks and effort, so that all tell them alike."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from mailguard.guidebook.blocks import Kind, Rich, Span, Tone
from mailguard.guidebook.case import Case
from mailguard.guidebook.tasks import Plan, Task, make_plan
from mailguard.guidebook.texts import Texts
from mailguard.guides import Guide, load_guide
from mailguard.providers import Provider

Document = dict[str, Any]

TONES: Final = {"critical": Tone.ACT, "high": Tone.ACT, "medium": Tone.CARE, "low": Tone.CARE, "info": Tone.QUIET}
_HOUR: Final = 60


def plan_of(case: Case) -> Plan:
    """The tasks of a case, the same in every part."""
    return make_plan(case.document, case.made_on, case.first_due)


def guide_of(finding: Document, texts: Texts) -> Guide:
    """The rule's page."""
    return load_guide(finding["rule"], texts.language)


def facts_of(finding: Document, case: Case) -> dict[str, object]:
    """What the placeholders of the rule's page stand for."""
    facts = {key: tuple(fact) if isinstance(fact, list) else fact for key, fact in finding["facts"].items()}
    return {**facts, "domain": case.domain}


def anchor_of(rule: str) -> str:
    """The anchor of a rule's card."""
    return f"finding-{rule}"


def link_to(finding: Document, texts: Texts) -> Rich:
    """The title of a finding's page, leading there. Titles are our words and hold no facts."""
    return (Span(guide_of(finding, texts).title, Kind.LINK, f"#{anchor_of(finding['rule'])}"),)


def task_anchor(task: Task) -> str:
    """The anchor of a task."""
    return f"task-{task.number}"


def effort(minutes: tuple[int, int], texts: Texts) -> Rich:
    """Minutes up to two hours, then hours, rounded outwards."""
    least, most = minutes
    if most > 2 * _HOUR:
        least, most = least // _HOUR, -(-most // _HOUR)
        unit = "hours" if least and least != most else "hours-about"
    else:
        unit = "minutes" if least != most else "minutes-about"
    return texts(f"todo.effort.{unit}", least=least, most=most)


def unique(findings: Iterable[Document]) -> list[Document]:
    """One finding of each rule, in their order."""
    return list({finding["rule"]: finding for finding in reversed(list(findings))}.values())[::-1]


def task_link(task: Task, texts: Texts) -> Rich:
    """A task's number and name, leading there."""
    title = texts.plain("todo.card", number=task.number, work=texts(f"todo.work.{task.work}"))
    return (Span(title, Kind.LINK, f"#{task_anchor(task)}"),)


def listed(items: Iterable[object], texts: Texts) -> str:
    """Values one after the other, with the comma of the language. To be put in as a fact."""
    return texts.plain("todo.comma").join(map(str, items))


def name_of(provider: Provider, texts: Texts) -> str:
    """A company's name in the language."""
    return provider.name.ja if texts.language == "ja" else provider.name.en
