"""What the rules of this area share: the unmet requirements of one strength and standing, told together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypedDict

from mailguard.dossier import Dossier
from mailguard.inquiry import Question
from mailguard.names import DomainName
from mailguard.requirement import Requirement
from mailguard.rules.programme.assessment import Row, unmet


class Facts(TypedDict):
    """The fields that every finding of this area has."""

    at: DomainName
    seen_in: tuple[Question, ...]
    requirement: str
    programmes: tuple[str, ...]
    sources: tuple[str, ...]
    requirement_ids: tuple[str, ...]


def facts_of(dossier: Dossier, counts: Callable[[Requirement], bool]) -> Iterator[Facts]:
    """One set of facts for each check that fails some requirement which ``counts``: one cause, one finding."""
    for rows in unmet(dossier).values():
        counting = [row for row in rows if counts(row.requirement)]
        if counting:
            yield _facts(counting)


def _facts(rows: list[Row]) -> Facts:
    return Facts(
        at=rows[0].at,
        seen_in=rows[0].seen_in,
        requirement=rows[0].requirement.short,
        programmes=tuple(dict.fromkeys(row.programme.name for row in rows)),
        sources=tuple(dict.fromkeys(_source(row.requirement) for row in rows)),
        requirement_ids=tuple(row.requirement.id for row in rows),
    )


def _source(requirement: Requirement) -> str:
    return f"{requirement.source.title} ({requirement.source.read_on.isoformat()})"
