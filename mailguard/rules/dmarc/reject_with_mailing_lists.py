"""DMARC056: The policy is reject although people of this domain post to mailing lists."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.record import Policy
from mailguard.dossier import Dossier, MailingLists
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import here


class RejectWithMailingLists(Finding):
    """The policy is reject although people of this domain post to mailing lists."""

    rule = Rule("DMARC056", "reject-with-mailing-lists", Severity.MEDIUM, cites=("RFC 9989 7.4",))

    record: str


def check(dossier: Dossier) -> Iterator[RejectWithMailingLists]:
    """Only where the owner has said so."""
    found = here(dossier)
    lists = dossier.expectation.mailing_lists is MailingLists.YES
    if found and lists and found.asked is Policy.REJECT and not found.record.t:
        yield RejectWithMailingLists(at=found.at, seen_in=found.seen_in, record=found.record.text)
