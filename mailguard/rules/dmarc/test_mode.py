"""DMARC021: Test mode lowers the policy by one level at receivers of RFC 9989; those of RFC 7489 do not notice it."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.record import Policy
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import applied, strongest


class TestMode(Finding):
    """Test mode lowers the policy by one level at receivers of RFC 9989; those of RFC 7489 do not notice it."""

    rule = Rule("DMARC021", "test-mode", Severity.MEDIUM, cites=("RFC 9989 4.7",))

    record: str
    published: str  # the strictest policy in the record
    counted_as: str  # what test mode makes of it


def check(dossier: Dossier) -> Iterator[TestMode]:
    """Look at the record that counts for the domain."""
    found = applied(dossier)
    if found and found.record.t and strongest(found.record) is not Policy.NONE:
        policy = strongest(found.record)
        yield TestMode(
            at=found.at,
            seen_in=found.seen_in,
            record=found.record.text,
            published=policy.value,
            counted_as=policy.lowered.value,
        )
