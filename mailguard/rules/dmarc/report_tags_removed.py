"""DMARC025: The record still has the tags rf or ri, which RFC 9989 removed."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import counted


class ReportTagsRemoved(Finding):
    """The record still has the tags rf or ri, which RFC 9989 removed."""

    rule = Rule("DMARC025", "report-tags-removed", Severity.INFO, cites=("RFC 9989 9.3",))

    record: str
    tags: tuple[str, ...]


def check(dossier: Dossier) -> Iterator[ReportTagsRemoved]:
    """Look at the record that counts for the domain."""
    found = counted(dossier)
    tags = tuple(key for key in ("rf", "ri") if found and found.record.has(key))
    if found and tags:
        yield ReportTagsRemoved(at=found.at, seen_in=found.seen_in, record=found.record.text, tags=tags)
