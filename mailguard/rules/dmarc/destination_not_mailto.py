"""DMARC045: A destination is a URI that receivers need not support; only mailto is certain."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.uri import UriFlaw
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import counted, uris_of


class DestinationNotMailto(Finding):
    """A destination is a URI that receivers need not support; only mailto is certain."""

    rule = Rule("DMARC045", "destination-not-mailto", Severity.LOW, cites=("RFC 9989 4.7",))

    record: str
    tag: str
    uri: str


def check(dossier: Dossier) -> Iterator[DestinationNotMailto]:
    """Look at the record that counts for the domain."""
    found = counted(dossier)
    if found is None:
        return
    for tag, uri in uris_of(found.record):
        if uri.flaw is UriFlaw.NOT_MAILTO:
            yield DestinationNotMailto(
                at=found.at, seen_in=found.seen_in, record=found.record.text, tag=tag, uri=uri.text
            )
