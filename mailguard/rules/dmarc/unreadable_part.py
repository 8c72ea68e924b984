"""DMARC038: A part of the record is no tag=value, so that receivers ignore it."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.record import ProblemCode
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import counted


class UnreadablePart(Finding):
    """A part of the record is no tag=value, so that receivers ignore it."""

    rule = Rule("DMARC038", "unreadable-part", Severity.MEDIUM, cites=("RFC 9989 4.8",))

    record: str
    parts: tuple[str, ...]


def check(dossier: Dossier) -> Iterator[UnreadablePart]:
    """Look at the record that counts for the domain."""
    found = counted(dossier)
    if found is None:
        return
    bad = (ProblemCode.NO_EQUALS, ProblemCode.BAD_NAME)
    parts = tuple(problem.text for problem in found.record.problems if problem.code in bad)
    if parts:
        yield UnreadablePart(at=found.at, seen_in=found.seen_in, record=found.record.text, parts=parts)
