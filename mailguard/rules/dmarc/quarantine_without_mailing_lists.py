"""DMARC057: The policy is quarantine although nobody of this domain posts to mailing lists."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.record import Policy
from mailguard.dossier import Dossier, MailingLists
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import here, sends_nothing


class QuarantineWithoutMailingLists(Finding):
    """The policy is quarantine although nobody of this domain posts to mailing lists."""

    rule = Rule("DMARC057", "quarantine-without-mailing-lists", Severity.LOW, cites=("RFC 9989 7.4", "RFC 9989 8"))

    record: str


def check(dossier: Dossier) -> Iterator[QuarantineWithoutMailingLists]:
    """Only where the owner has said so."""
    found = here(dossier)
    no_lists = dossier.expectation.mailing_lists is MailingLists.NO
    if found and no_lists and found.asked is Policy.QUARANTINE and not found.record.t and not sends_nothing(dossier):
        yield QuarantineWithoutMailingLists(at=found.at, seen_in=found.seen_in, record=found.record.text)
