"""DMARC059: Alignment is strict: mail that is signed or sent by way of a subdomain does not pass."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.record import Mode
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import applied, sends_nothing


class StrictAlignment(Finding):
    """Alignment is strict: mail that is signed or sent by way of a subdomain does not pass."""

    rule = Rule("DMARC059", "strict-alignment", Severity.INFO, cites=("RFC 9989 4.4", "RFC 9989 11.8"))

    record: str
    tags: tuple[str, ...]


def check(dossier: Dossier) -> Iterator[StrictAlignment]:
    """Look at the record that counts for the domain."""
    found = applied(dossier)
    if found is None or sends_nothing(dossier):
        return
    modes = (("adkim", found.record.adkim), ("aspf", found.record.aspf))
    tags = tuple(f"{key}=s" for key, mode in modes if mode is Mode.STRICT)
    if tags:
        yield StrictAlignment(at=found.at, seen_in=found.seen_in, record=found.record.text, tags=tags)
