"""A record of the withdrawn type SPF beside the TXT record."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.spf.survey import SpfStatus


class Type99Record(Finding):
    """A left-over that nobody reads any more, and that may say something else one day."""

    rule = Rule("SPF035", "type-99-record", Severity.INFO, cites=("RFC 7208 3.1", "RFC 7208 14.1"))


def check(dossier: Dossier) -> Iterator[Type99Record]:
    """Only beside a TXT record; alone it is a serious matter with a rule of its own."""
    spf = dossier.survey.spf
    if spf.type99.present and spf.status in (SpfStatus.VALID, SpfStatus.PERMERROR):
        yield Type99Record(at=spf.domain, seen_in=(spf.txt.question, spf.type99.question))
