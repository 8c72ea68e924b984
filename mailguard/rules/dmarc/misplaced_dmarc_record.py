"""DMARC016: A DMARC record stands at a name where nobody looks, and none at the right one."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity


class MisplacedDmarcRecord(Finding):
    """A DMARC record stands at a name where nobody looks, and none at the right one."""

    rule = Rule("DMARC016", "misplaced-dmarc-record", Severity.CRITICAL, cites=("RFC 9989 4.5",))

    found_at: str
    record: str


def check(dossier: Dossier) -> Iterator[MisplacedDmarcRecord]:
    """Quiet where anything like a record stands at the right name."""
    survey = dossier.survey.dmarc
    if survey.own.records or survey.own.unanswered or survey.near_misses:
        return
    for misplaced in survey.misplaced:
        question = misplaced.answer.question
        yield MisplacedDmarcRecord(
            at=survey.txt.question.name,
            seen_in=(survey.txt.question, question),
            found_at=str(question.name),
            record=misplaced.text,
        )
