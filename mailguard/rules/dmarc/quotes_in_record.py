"""DMARC010: Quotation marks or backslashes are part of the published text, so that it is no DMARC record."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.nearmiss import NearMiss
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import near_misses


class QuotesInRecord(Finding):
    """Quotation marks or backslashes are part of the published text, so that it is no DMARC record."""

    rule = Rule("DMARC010", "quotes-in-record", Severity.CRITICAL, cites=("RFC 9989 4.8",))

    record: str


def check(dossier: Dossier) -> Iterator[QuotesInRecord]:
    """Only where no record stands beside it."""
    question = dossier.survey.dmarc.txt.question
    for text in near_misses(dossier, NearMiss.QUOTES):
        yield QuotesInRecord(at=question.name, seen_in=(question,), record=text)
