"""DMARC058: False mail is stopped, and nobody has said yet whether people of this domain post to mailing lists."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.record import Policy
from mailguard.dossier import Dossier, MailingLists
from mailguard.rules.base import Confidence, Finding, Rule, Severity
from mailguard.rules.dmarc._select import here, may_send


class MailingListsNotSaid(Finding):
    """False mail is stopped, and nobody has said yet whether people of this domain post to mailing lists."""

    rule = Rule("DMARC058", "mailing-lists-not-said", Severity.INFO, Confidence.POSSIBLE, cites=("RFC 9989 7.4",))

    record: str
    policy: str


def check(dossier: Dossier) -> Iterator[MailingListsNotSaid]:
    """Look at the record that counts for the domain."""
    found = here(dossier)
    unset = dossier.expectation.mailing_lists is MailingLists.UNSET
    if found and unset and found.asked and found.asked is not Policy.NONE and may_send(dossier):
        yield MailingListsNotSaid(
            at=found.at, seen_in=found.seen_in, record=found.record.text, policy=found.asked.value
        )
