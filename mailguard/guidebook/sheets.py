"""The check sheet and the vendors' questionnaire: their lines as data, and the sheet as an audit fills it in.

``policies/guide/checksheet.toml`` and ``questionnaire.toml`` hold them in both languages. What an audit may answer is
in ``checks.py``. In no language.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Generic, TypeVar

from mailguard.guidebook.case import Case
from mailguard.guidebook.checks import LOOKS, Look, Mark, look
from mailguard.guidebook.days import in_japan
from mailguard.guidebook.tasks import Plan, Work
from mailguard.guidebook.unused import is_without_mail
from mailguard.providers import Text
from mailguard.resources import policies

Entry = TypeVar("Entry")


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the check sheet. ``use``: the domains that it is for, ``mail`` or ``unused``, empty for all."""

    id: str
    says: Text
    seen: str = ""
    works: tuple[Work, ...] = ()
    clauses: tuple[str, ...] = ()
    use: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """One line of the questionnaire. ``remark`` says what is wanted beside the answer."""

    id: str
    says: Text
    remark: Text
    seen: str = ""


@dataclass(frozen=True, slots=True)
class Group(Generic[Entry]):
    """Lines under one heading."""

    id: str
    title: Text
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """An item as it is filled in. ``checked`` is the day of the look, ``target`` that by which it should be yes."""

    item: Item
    look: Look
    checked: date | None
    target: date | None


@cache
def load_checksheet() -> tuple[Group[Item], ...]:
    """The check sheet that comes with mailguard, read once."""
    return parse_checksheet((policies() / "guide" / "checksheet.toml").read_text("utf-8"))


@cache
def load_questionnaire() -> tuple[Group[Question], ...]:
    """The questionnaire that comes with mailguard, read once."""
    return parse_questionnaire((policies() / "guide" / "questionnaire.toml").read_text("utf-8"))


def parse_checksheet(text: str) -> tuple[Group[Item], ...]:
    """The items of a file. Raises ValueError for an id that stands twice, and for names that nothing knows."""
    return _groups(tomllib.loads(text), "item", _item)


def parse_questionnaire(text: str) -> tuple[Group[Question], ...]:
    """The questions of a file. Raises ValueError as ``parse_checksheet`` does."""
    return _groups(tomllib.loads(text), "question", _question)


def _groups(data: dict[str, Any], kind: str, make: Callable[[dict[str, Any]], Entry]) -> tuple[Group[Entry], ...]:
    ids = [entry["id"] for entry in data[kind]]
    known = {group["id"] for group in data["group"]}
    strange = [entry["id"] for entry in data[kind] if entry["group"] not in known or not _is_known(entry)]
    if len(set(ids)) < len(ids) or strange:
        raise ValueError(f"{kind}: an id stands twice, or names are not known: {strange}")
    return tuple(
        Group(
            group["id"],
            Text(**group["title"]),
            tuple(make(entry) for entry in data[kind] if entry["group"] == group["id"]),
        )
        for group in data["group"]
    )


def _is_known(entry: dict[str, Any]) -> bool:
    works = set(entry.get("works", ())) <= set(Work)
    return works and entry.get("seen", "") in LOOKS | {""} and entry.get("for", "") in ("", "mail", "unused")


def _item(data: dict[str, Any]) -> Item:
    return Item(
        id=data["id"],
        says=Text(data["ja"], data["en"]),
        seen=data.get("seen", ""),
        works=tuple(map(Work, data.get("works", ()))),
        clauses=tuple(data.get("clauses", ())),
        use=data.get("for", ""),
    )


def _question(data: dict[str, Any]) -> Question:
    return Question(data["id"], Text(data["ja"], data["en"]), Text(**data["remark"]), data.get("seen", ""))


def fill_checksheet(case: Case, plan: Plan) -> tuple[Group[Line], ...]:
    """The check sheet with what the audit answers. Items that are not for such a domain are left out. Never raises."""
    unwanted = "mail" if is_without_mail(case.document) else "unused"
    groups = (
        Group(group.id, group.title, tuple(_line(item, case, plan) for item in group.entries if item.use != unwanted))
        for group in load_checksheet()
    )
    return tuple(group for group in groups if group.entries)


def _line(item: Item, case: Case, plan: Plan) -> Line:
    seen = look(item.seen, case)
    answered = seen.mark in (Mark.YES, Mark.NO)
    return Line(item, seen, in_japan(case.as_of) if answered else None, _target(item, seen.mark, plan))


def _target(item: Item, mark: Mark, plan: Plan) -> date | None:
    """The last day of the tasks that make it a yes. Without one in the plan people choose the day."""
    if mark is Mark.YES:
        return None
    works: Sequence[Work] = (Work.AUDIT_AGAIN,) if mark is Mark.UNANSWERED else item.works
    days = [task.due for task in plan.tasks if task.work in works]
    return max(days, default=None)
