"""The record stands below the domain instead of at it."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.spf._select import misplaced_records, visible
from mailguard.spf.survey import SpfStatus


class RecordAtWrongName(Finding):
    """An SPF record stands at ``spf.`` or ``_spf.`` below the domain, where receivers do not look."""

    rule = Rule("SPF033", "record-at-wrong-name", Severity.HIGH, cites=("RFC 7208 3", "RFC 7208 4.4"))
    record: str
    found_at: str


def check(dossier: Dossier) -> Iterator[RecordAtWrongName]:
    """Only where the domain itself has no record, and no wildcard gives the same to every name."""
    spf = dossier.survey.spf
    if spf.status is not SpfStatus.NONE:
        return
    for answer, text in misplaced_records(dossier):
        yield RecordAtWrongName(
            at=spf.domain,
            seen_in=(spf.txt.question, answer.question),
            record=visible(text.decode("utf-8", "replace")),
            found_at=answer.question.name,
        )
        return
