"""Another name of the organisation lets everybody pass, and its pass counts for the domain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from mailguard.dossier import Dossier
from mailguard.inquiry import answered
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.spf._select import visible
from mailguard.spf.record import select_records
from mailguard.spf.survey import Strangers


class OpenRecordNearby(Finding):
    """SPF of the organizational domain, or of a wildcard, passes strangers; relaxed alignment takes that for enough."""

    rule: ClassVar = Rule("SPF046", "open-record-nearby", Severity.CRITICAL, cites=("RFC 9989 4.4", "RFC 7208 5.1"))
    record: str


def check(dossier: Dossier) -> Iterator[OpenRecordNearby]:
    """Quiet where the domain's own record is the same, as behind a wildcard alias: that has a rule of its own."""
    survey = dossier.survey
    wildcard = next((txt.joined for txt in select_records(survey.zone.probe_txt.txts)), b"")
    own = survey.spf.text or ""
    if survey.strangers_by_wildcard is Strangers.YES and _text(wildcard) != own:
        seen_in = (survey.zone.probe_txt.question,)
        yield OpenRecordNearby(at=survey.domain.child("*"), seen_in=seen_in, record=visible(_text(wildcard)))
    above = survey.organization
    if above is not None and above.text is not None and above.strangers_can_pass is Strangers.YES:
        yield OpenRecordNearby(at=above.domain, seen_in=answered(*above.answers()), record=visible(above.text))


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "replace")
