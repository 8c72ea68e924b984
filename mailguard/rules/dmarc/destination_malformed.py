"""DMARC044: A destination is no URI with a usable mail address, so that no report is sent to it."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.uri import UriFlaw
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import comma_split, counted, uris_of


class DestinationMalformed(Finding):
    """A destination is no URI with a usable mail address, so that no report is sent to it."""

    rule = Rule("DMARC044", "destination-malformed", Severity.HIGH, cites=("RFC 9989 4.8",))

    record: str
    tag: str
    uri: str


def check(dossier: Dossier) -> Iterator[DestinationMalformed]:
    """Look at the record that counts for the domain."""
    found = counted(dossier)
    if found is None:
        return
    for tag, uri in uris_of(found.record):
        headless = uri.flaw is UriFlaw.NO_SCHEME and "@" not in uri.text
        broken = headless or uri.flaw in (UriFlaw.BAD_CHARACTER, UriFlaw.BAD_ADDRESS)
        if broken and not comma_split(found.record, uri):
            yield DestinationMalformed(
                at=found.at, seen_in=found.seen_in, record=found.record.text, tag=tag, uri=uri.text
            )
