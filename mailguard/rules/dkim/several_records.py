"""Several TXT records at one selector."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity


class SeveralRecords(Finding):
    """More than one TXT record stands at a selector; which of them a verifier uses is not defined."""

    rule = Rule("DKIM017", "several-key-records", Severity.HIGH, cites=("RFC 6376 3.6.2.2", "RFC 6376 6.1.2"))
    selector: str
    count: int


def check(dossier: Dossier) -> Iterator[SeveralRecords]:
    for facts in dossier.survey.dkim.told:
        records = facts.records
        if len(records) > 1 and any(record.is_key for record in records):
            yield SeveralRecords(at=facts.name, seen_in=facts.questions, selector=facts.selector, count=len(records))
