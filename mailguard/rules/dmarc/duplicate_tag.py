"""DMARC035: A tag is given twice; receivers may take the first, the last, or discard the record."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.record import ProblemCode
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import counted


class DuplicateTag(Finding):
    """A tag is given twice; receivers may take the first, the last, or discard the record."""

    rule = Rule("DMARC035", "duplicate-tag", Severity.HIGH, cites=("RFC 6376 3.2", "RFC 9989 4.8"))

    record: str
    tags: tuple[str, ...]


def check(dossier: Dossier) -> Iterator[DuplicateTag]:
    """Look at the record that counts for the domain."""
    found = counted(dossier)
    if found is None:
        return
    tags = tuple(dict.fromkeys(p.tag for p in found.record.problems if p.code is ProblemCode.DUPLICATE_TAG))
    if tags:
        yield DuplicateTag(at=found.at, seen_in=found.seen_in, record=found.record.text, tags=tags)
