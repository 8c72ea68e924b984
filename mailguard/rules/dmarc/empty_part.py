"""DMARC039: The record has an empty part or a tag without a value, against the grammar but without effect."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.record import ProblemCode
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import counted


class EmptyPart(Finding):
    """The record has an empty part or a tag without a value, against the grammar but without effect."""

    rule = Rule("DMARC039", "empty-part", Severity.LOW, cites=("RFC 9989 4.8",))

    record: str


def check(dossier: Dossier) -> Iterator[EmptyPart]:
    """Tags whose missing value matters have rules of their own."""
    found = counted(dossier)
    if found is None:
        return
    told = ("p", "sp", "np", "adkim", "aspf", "t", "psd", "fo")
    codes = (ProblemCode.EMPTY_TAG, ProblemCode.EMPTY_VALUE)
    if any(problem.code in codes and problem.tag not in told for problem in found.record.problems):
        yield EmptyPart(at=found.at, seen_in=found.seen_in, record=found.record.text)
