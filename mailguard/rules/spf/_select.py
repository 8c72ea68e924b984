"""What several SPF rules look for in the same way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from mailguard.dossier import Dossier
from mailguard.inquiry import Answer, Question, answered
from mailguard.rules.base import Finding
from mailguard.spf.edit import is_include
from mailguard.spf.expansion import Branch, BranchStatus
from mailguard.spf.record import is_spf
from mailguard.spf.survey import SpfStatus, SpfSurvey
from mailguard.spf.terms import Broken, Reason
from mailguard.zone.survey import SubdomainsExist

MAX_SHOWN: Final = 10
"""So many terms are listed in one finding; a hostile record may hold thousands."""

MAX_TEXT: Final = 1000
"""Characters of published text in one fact."""


def visible(text: str) -> str:
    """Published text with characters that cannot be seen spelled out, as ``<U+3000>``; cut at ``MAX_TEXT``."""
    shown = "".join(char if char.isprintable() else f"<U+{ord(char):04X}>" for char in text[:MAX_TEXT])
    return shown if len(text) <= MAX_TEXT else f"{shown}..."


def valid(dossier: Dossier) -> SpfSurvey | None:
    """The SPF facts where the domain has one readable record; the rules about its content need no other case."""
    spf = dossier.survey.spf
    return spf if spf.status is SpfStatus.VALID else None


def apex(spf: SpfSurvey) -> tuple[Question, ...]:
    """The question that brought the domain's own record."""
    return (spf.txt.question,)


def rests_on(spf: SpfSurvey, *branches: Branch) -> tuple[Question, ...]:
    """The questions that show what is wrong with these branches: the domain's record first, nothing unanswered."""
    answers = [spf.txt]
    for branch in branches:
        answers.extend(branch.answers)
        if branch.below:
            answers.append(branch.below.answer)
    return answered(*answers)


def misplaced_records(dossier: Dossier) -> Iterator[tuple[Answer, bytes]]:
    """SPF records at the names where people publish them by mistake; what a wildcard answers there is none."""
    zone = dossier.survey.zone
    if zone.probe_txt.unanswered and zone.subdomains_exist is not SubdomainsExist.DENIED:
        return
    for answer in dossier.survey.spf.wrong_names:
        yield from ((answer, text) for text in answer.texts if is_spf(text) and text not in zone.wildcard_texts)


def includes(spf: SpfSurvey, *statuses: BranchStatus) -> tuple[Branch, ...]:
    """Every include of the tree with one of these statuses."""
    return tuple(branch for branch in spf.branches() if is_include(branch) and branch.status in statuses)


class FaultyTerms(Finding):
    """Terms of the domain's own record that make receivers discard all of it (RFC 7208 section 4.6)."""

    record: str
    terms: tuple[str, ...]
    position: int  # of the first offending character, counted from 1


class BadInclude(Finding):
    """An include that ends every evaluation that reaches it (RFC 7208 section 5.2)."""

    term: str
    target: str


Faulty = TypeVar("Faulty", bound=FaultyTerms)
Bad = TypeVar("Bad", bound=BadInclude)


def find_faults(dossier: Dossier, kind: type[Faulty], applies: Callable[[Reason], bool]) -> Iterator[Faulty]:
    """One finding about all terms of the domain's own record that are faulty for such reasons."""
    spf = dossier.survey.spf
    faults: tuple[Broken, ...] = spf.record.faults if spf.record else ()
    chosen = [fault for fault in faults if applies(fault.reason)]
    if spf.record and chosen:
        terms = tuple(visible(fault.text) for fault in chosen[:MAX_SHOWN])
        yield kind(
            at=spf.domain,
            seen_in=apex(spf),
            record=visible(spf.record.text),
            terms=terms,
            position=chosen[0].fault_at + 1,
        )


def find_bad_includes(dossier: Dossier, kind: type[Bad], *statuses: BranchStatus) -> Iterator[Bad]:
    """One finding for each such include, at the name whose record holds it."""
    spf = valid(dossier)
    for branch in includes(spf, *statuses)[:MAX_SHOWN] if spf else ():
        yield kind(
            at=branch.domain,
            seen_in=rests_on(dossier.survey.spf, branch),
            term=visible(branch.term.text),
            target=branch.target or "",
        )
