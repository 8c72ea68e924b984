"""The record exists only as type SPF, which receivers no longer ask for."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.spf._select import visible
from mailguard.spf.record import is_spf
from mailguard.spf.survey import SpfStatus


class Type99Only(Finding):
    """The domain publishes its record with the withdrawn record type SPF and not as TXT."""

    rule = Rule("SPF034", "type-99-only", Severity.HIGH, cites=("RFC 7208 3.1", "RFC 7208 14.1"))
    record: str


def check(dossier: Dossier) -> Iterator[Type99Only]:
    """Only where there is no TXT record."""
    spf = dossier.survey.spf
    texts = [text for text in spf.type99.texts if is_spf(text)]
    if spf.status is SpfStatus.NONE and texts:
        yield Type99Only(
            at=spf.domain,
            seen_in=(spf.txt.question, spf.type99.question),
            record=visible(texts[0].decode("utf-8", "replace")),
        )
