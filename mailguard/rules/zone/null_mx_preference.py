"""A null MX with a preference other than 0."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.zone.survey import MxStatus


class NullMxPreference(Finding):
    """The null MX does not have the preference 0 that the standard names."""

    rule = Rule("ZONE020", "null-mx-preference", Severity.LOW, cites=("RFC 7505 3",))
    preference: int


def check(dossier: Dossier) -> Iterator[NullMxPreference]:
    zone = dossier.survey.zone
    preferences = [record.preference for record in zone.mx.exchanges if record.preference]
    if zone.mx_status is MxStatus.NULL and preferences:
        yield NullMxPreference(at=zone.domain, seen_in=(zone.mx.question,), preference=preferences[0])
