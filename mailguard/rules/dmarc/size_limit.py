"""DMARC047: A destination has a size limit: obsolete, but RFC 7489 receivers drop larger reports."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import counted, uris_of


class SizeLimit(Finding):
    """A destination has a size limit: obsolete, but RFC 7489 receivers drop larger reports."""

    rule = Rule("DMARC047", "size-limit", Severity.LOW, cites=("RFC 9989 4.8",))

    record: str
    uri: str
    limit: str


def check(dossier: Dossier) -> Iterator[SizeLimit]:
    """Look at the record that counts for the domain."""
    found = counted(dossier)
    if found is None:
        return
    for _, uri in uris_of(found.record):
        if uri.size_limit:
            yield SizeLimit(
                at=found.at, seen_in=found.seen_in, record=found.record.text, uri=uri.text, limit=uri.size_limit
            )
