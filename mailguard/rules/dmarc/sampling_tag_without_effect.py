"""DMARC024: The record still has a sampling rate, which changes nothing anywhere."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.record import Policy
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import applied, counted, strongest


class SamplingTagWithoutEffect(Finding):
    """The record still has a sampling rate, which changes nothing anywhere."""

    rule = Rule("DMARC024", "sampling-tag-without-effect", Severity.INFO, cites=("RFC 9989 9.3",))

    record: str
    value: str


def check(dossier: Dossier) -> Iterator[SamplingTagWithoutEffect]:
    """Look at the record that counts for the domain."""
    found = counted(dossier)
    if found is None or not found.record.has("pct"):
        return
    matters = found.record.pct not in (None, 100) and not found.record.t and applied(dossier)
    if not matters or strongest(found.record) is Policy.NONE:
        value = found.record.value("pct") or ""
        yield SamplingTagWithoutEffect(at=found.at, seen_in=found.seen_in, record=found.record.text, value=value)
