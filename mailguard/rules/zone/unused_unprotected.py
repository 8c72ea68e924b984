"""A domain that looks unused and says nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mailguard.dossier import Dossier
from mailguard.rules.base import Confidence, Finding, Rule, Severity
from mailguard.zone.parked import looks_unused, rejects_everywhere


@dataclass(frozen=True, slots=True, kw_only=True)
class UnusedUnprotected(Finding):
    """The domain has neither MX nor address nor SPF record, and nothing asks receivers to refuse mail in its name."""

    rule = Rule("ZONE014", "unused-and-unprotected", Severity.MEDIUM, Confidence.LIKELY, cites=("RFC 7208 10.1.2",))


def check(dossier: Dossier) -> Iterator[UnusedUnprotected]:
    survey, zone = dossier.survey, dossier.survey.zone
    silent = looks_unused(survey) and not zone.is_missing and rejects_everywhere(survey) is False
    if silent and not dossier.expectation.sends and not dossier.expectation.receives:
        yield UnusedUnprotected(at=zone.domain, seen_in=(zone.mx.question, zone.a.question, zone.txt.question))
