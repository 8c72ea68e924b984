"""DMARC031: A record above the registered domain, without psd=y, makes strangers part of the same organisation."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.walk import record_question
from mailguard.dossier import Dossier
from mailguard.rules.base import Confidence, Finding, Rule, Severity


class OrganizationTakenTooWide(Finding):
    """A record above the registered domain, without psd=y, makes strangers part of the same organisation."""

    rule = Rule(
        "DMARC031",
        "organization-taken-too-wide",
        Severity.HIGH,
        Confidence.LIKELY,
        cites=("RFC 9989 11.8", "RFC 9989 4.10.2"),
    )

    above: str
    registered: str


def check(dossier: Dossier) -> Iterator[OrganizationTakenTooWide]:
    """The Public Suffix List says where the registered domain begins."""
    survey = dossier.survey.dmarc
    above, registered = survey.organizational_domain, survey.legacy.organizational_domain
    if above is None or above == registered or not registered.is_within(above):
        return
    question = record_question(above)
    yield OrganizationTakenTooWide(at=question.name, seen_in=(question,), above=str(above), registered=str(registered))
