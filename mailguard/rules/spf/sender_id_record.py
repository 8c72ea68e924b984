"""A Sender ID record, from an experiment that ended."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.spf._select import visible


class SenderIdRecord(Finding):
    """A text that begins with ``spf2.0`` is no SPF record; receivers pass it over."""

    rule = Rule("SPF036", "sender-id-record", Severity.INFO, cites=("RFC 7208 4.5", "RFC 6686 5"))
    record: str


def check(dossier: Dossier) -> Iterator[SenderIdRecord]:
    """At the domain itself."""
    spf = dossier.survey.spf
    for text in spf.txt.texts:
        if text[:7].lower() == b"spf2.0/":
            record = visible(text.decode("utf-8", "replace"))
            yield SenderIdRecord(at=spf.domain, seen_in=(spf.txt.question,), record=record)
            return
