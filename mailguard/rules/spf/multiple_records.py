"""More than one SPF record."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.spf._select import MAX_SHOWN, visible


class MultipleRecords(Finding):
    """The domain publishes several SPF records, so receivers use none of them."""

    rule = Rule("SPF002", "multiple-records", Severity.HIGH, cites=("RFC 7208 4.5", "RFC 7208 3.2"))
    count: int
    records: tuple[str, ...]


def check(dossier: Dossier) -> Iterator[MultipleRecords]:
    """Looks at the domain itself; included domains have a rule of their own."""
    spf = dossier.survey.spf
    if len(spf.candidates) > 1:
        texts = tuple(visible(txt.joined.decode("utf-8", "replace")) for txt in spf.candidates[:MAX_SHOWN])
        yield MultipleRecords(at=spf.domain, seen_in=(spf.txt.question,), count=len(spf.candidates), records=texts)
