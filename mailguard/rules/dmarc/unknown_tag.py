"""DMARC040: The record has a tag that the standard does not know; it is ignored, and often a typing mistake."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.record import ProblemCode
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import counted


class UnknownTag(Finding):
    """The record has a tag that the standard does not know; it is ignored, and often a typing mistake."""

    rule = Rule("DMARC040", "unknown-tag", Severity.LOW, cites=("RFC 9989 4.7",))

    record: str
    tags: tuple[str, ...]


def check(dossier: Dossier) -> Iterator[UnknownTag]:
    """Look at the record that counts for the domain."""
    found = counted(dossier)
    if found is None:
        return
    tags = tuple(p.text for p in found.record.problems if p.code is ProblemCode.UNKNOWN_TAG)
    if tags:
        yield UnknownTag(at=found.at, seen_in=found.seen_in, record=found.record.text, tags=tags)
