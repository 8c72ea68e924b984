"""DMARC022: A sampling rate of 1 to 99 is ignored by receivers of RFC 9989, which apply the policy in full."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.record import Policy
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import applied, strongest


class SamplingRemoved(Finding):
    """A sampling rate of 1 to 99 is ignored by receivers of RFC 9989, which apply the policy in full."""

    rule = Rule("DMARC022", "sampling-removed", Severity.MEDIUM, cites=("RFC 9989 9.3", "RFC 7489 6.6.4"))

    record: str
    pct: int  # per cent
    policy: str


def check(dossier: Dossier) -> Iterator[SamplingRemoved]:
    """Look at the record that counts for the domain."""
    found = applied(dossier)
    if found is None or found.record.t or strongest(found.record) is Policy.NONE:
        return
    if found.record.pct is not None and 0 < found.record.pct < 100:
        policy = strongest(found.record).value
        yield SamplingRemoved(
            at=found.at, seen_in=found.seen_in, record=found.record.text, pct=found.record.pct, policy=policy
        )
