"""DMARC043: A comma or an exclamation mark in a destination is not percent-encoded, so that it is misread."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.uri import UriFlaw
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import comma_split, counted, uris_of


class DestinationWithBareSign(Finding):
    """A comma or an exclamation mark in a destination is not percent-encoded, so that it is misread."""

    rule = Rule("DMARC043", "destination-with-bare-sign", Severity.MEDIUM, cites=("RFC 9989 4.8",))

    record: str
    tag: str
    uri: str
    sign: str
    written: str  # how it must be written


def check(dossier: Dossier) -> Iterator[DestinationWithBareSign]:
    """Look at the record that counts for the domain."""
    found = counted(dossier)
    if found is None:
        return
    for tag, uri in uris_of(found.record):
        cut = uri.flaw is UriFlaw.BAD_ADDRESS and comma_split(found.record, uri)
        if cut or uri.flaw is UriFlaw.BANG:
            yield DestinationWithBareSign(
                at=found.at,
                seen_in=found.seen_in,
                record=found.record.text,
                tag=tag,
                uri=uri.text,
                sign="," if cut else "!",
                written="%2C" if cut else "%21",
            )
