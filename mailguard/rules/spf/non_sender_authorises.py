"""A domain that is said to send nothing, whose SPF says otherwise."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.spf._select import apex, valid, visible
from mailguard.spf.terms import Kind, Qualifier
from mailguard.zone.parked import ParkedStatus, parked_state


class NonSenderAuthorises(Finding):
    """The owner says that the domain sends no mail, but its record is not ``v=spf1 -all``."""

    rule = Rule("SPF041", "non-sender-authorises", Severity.MEDIUM, cites=("RFC 7208 10.1.2", "BSI TR-03182-P L-02"))
    record: str


def check(dossier: Dossier) -> Iterator[NonSenderAuthorises]:
    """Only on the owner's word; a domain that does not receive either is told by the rules on parked domains."""
    spf = valid(dossier)
    if spf is None or spf.record is None or dossier.expectation.sends is not False:
        return
    if parked_state(dossier.survey, dossier.expectation).status is ParkedStatus.IMPERFECT:
        return
    terms = spf.record.directives
    if len(terms) != 1 or terms[0].kind is not Kind.ALL or terms[0].qualifier is not Qualifier.FAIL:
        yield NonSenderAuthorises(at=spf.domain, seen_in=apex(spf), record=visible(spf.record.text))
