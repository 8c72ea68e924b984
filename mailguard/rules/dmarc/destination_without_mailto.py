"""DMARC042: A destination is a bare mail address without mailto:, so that no report is sent to it."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.uri import UriFlaw
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import comma_split, counted, uris_of


class DestinationWithoutMailto(Finding):
    """A destination is a bare mail address without mailto:, so that no report is sent to it."""

    rule = Rule("DMARC042", "destination-without-mailto", Severity.HIGH, cites=("RFC 9989 4.8",))

    record: str
    tag: str
    uri: str


def check(dossier: Dossier) -> Iterator[DestinationWithoutMailto]:
    """Look at the record that counts for the domain."""
    found = counted(dossier)
    if found is None:
        return
    for tag, uri in uris_of(found.record):
        if uri.flaw is UriFlaw.NO_SCHEME and "@" in uri.text and not comma_split(found.record, uri):
            yield DestinationWithoutMailto(
                at=found.at, seen_in=found.seen_in, record=found.record.text, tag=tag, uri=uri.text
            )
