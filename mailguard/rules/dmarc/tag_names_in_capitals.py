"""DMARC034: Tag names are written in capitals, which some receivers may not accept."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.record import ProblemCode
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import counted


class TagNamesInCapitals(Finding):
    """Tag names are written in capitals, which some receivers may not accept."""

    rule = Rule("DMARC034", "tag-names-in-capitals", Severity.LOW, cites=("RFC 9989 4.7", "RFC 6376 3.2"))

    record: str
    tags: tuple[str, ...]


def check(dossier: Dossier) -> Iterator[TagNamesInCapitals]:
    """Look at the record that counts for the domain."""
    found = counted(dossier)
    if found is None:
        return
    tags = tuple(p.text for p in found.record.problems if p.code is ProblemCode.UPPER_CASE_NAME)
    if tags:
        yield TagNamesInCapitals(at=found.at, seen_in=found.seen_in, record=found.record.text, tags=tags)
