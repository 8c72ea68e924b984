"""A domain without mail that strangers can use."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.inquiry import answered
from mailguard.rules.base import Confidence, Finding, Rule, Severity
from mailguard.rules.zone._select import is_open_and_unused


class UnusedUnprotected(Finding):
    """The domain is not used for mail, and nothing asks receivers to refuse what comes in its name."""

    rule = Rule("ZONE014", "unused-and-unprotected", Severity.HIGH, Confidence.LIKELY, cites=("RFC 7208 10.1.2",))


def check(dossier: Dossier) -> Iterator[UnusedUnprotected]:
    if is_open_and_unused(dossier):
        survey, zone = dossier.survey, dossier.survey.zone
        seen_in = answered(zone.mx, zone.a, zone.aaaa, zone.txt, survey.dmarc.txt)
        yield UnusedUnprotected(at=zone.domain, seen_in=seen_in)
