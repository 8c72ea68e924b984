"""The domain has no SPF record at all."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.spf._select import misplaced_records
from mailguard.spf.record import is_spf
from mailguard.spf.survey import SpfStatus
from mailguard.zone.parked import ParkedStatus, looks_unused, parked_state


class NoSpfRecord(Finding):
    """Receivers find no list of servers that may send for the domain."""

    rule = Rule("SPF001", "no-spf-record", Severity.HIGH, cites=("RFC 7208 4.5", "RFC 7208 3.1"))


def check(dossier: Dossier) -> Iterator[NoSpfRecord]:
    """Quiet where the cause is told more exactly: a record nearby, or a domain that is not used for mail."""
    survey = dossier.survey
    if survey.spf.status is not SpfStatus.NONE or has_stray_record(dossier):
        return
    if survey.zone.is_missing or looks_unused(survey):
        return
    if parked_state(survey, dossier.expectation).status is ParkedStatus.IMPERFECT:
        return
    yield NoSpfRecord(at=survey.domain, seen_in=(survey.spf.txt.question,))


def has_stray_record(dossier: Dossier) -> bool:
    """Whether a record is published where, or in a form in which, receivers do not see it."""
    spf = dossier.survey.spf
    return bool(spf.lookalikes) or any(map(is_spf, spf.type99.texts)) or any(misplaced_records(dossier))
