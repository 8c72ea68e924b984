"""DMARC023: A sampling rate of 0 meant one level less; receivers of RFC 9989 ignore it and apply the policy in full."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.record import Policy
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import applied, strongest


class SamplingZero(Finding):
    """A sampling rate of 0 meant one level less; receivers of RFC 9989 ignore it and apply the policy in full."""

    rule = Rule("DMARC023", "sampling-zero", Severity.MEDIUM, cites=("RFC 9989 9.3", "RFC 7489 6.6.4"))

    record: str
    policy: str
    lowered: str


def check(dossier: Dossier) -> Iterator[SamplingZero]:
    """Look at the record that counts for the domain."""
    found = applied(dossier)
    if found is None or found.record.t or found.record.pct != 0:
        return
    policy = strongest(found.record)
    if policy is not Policy.NONE:
        yield SamplingZero(
            at=found.at,
            seen_in=found.seen_in,
            record=found.record.text,
            policy=policy.value,
            lowered=policy.lowered.value,
        )
