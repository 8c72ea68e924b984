"""A text that means to be an SPF record, but that receivers do not take for one."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.spf._select import visible
from mailguard.spf.survey import SpfStatus


class UnrecognisedRecord(Finding):
    """The text does not begin with exactly ``v=spf1`` and a blank, so receivers pass it over."""

    rule = Rule("SPF010", "unrecognised-record", Severity.HIGH, cites=("RFC 7208 4.5",))
    record: str


def check(dossier: Dossier) -> Iterator[UnrecognisedRecord]:
    """Speaks only where there is no proper record beside it."""
    spf = dossier.survey.spf
    if spf.status is SpfStatus.NONE and spf.lookalikes:
        text = visible(spf.lookalikes[0].decode("utf-8", "replace"))
        yield UnrecognisedRecord(at=spf.domain, seen_in=(spf.txt.question,), record=text)
