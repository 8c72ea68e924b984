"""DMARC030: An ordinary domain declares itself a public suffix (psd=y), below which everybody is a stranger."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.legacy import is_public_suffix
from mailguard.dmarc.record import Psd
from mailguard.dossier import Dossier
from mailguard.rules.base import Confidence, Finding, Rule, Severity
from mailguard.rules.dmarc._select import counted


class DeclaredPublicSuffix(Finding):
    """An ordinary domain declares itself a public suffix (psd=y), below which everybody is a stranger."""

    rule = Rule(
        "DMARC030",
        "declared-public-suffix",
        Severity.CRITICAL,
        Confidence.LIKELY,
        cites=("RFC 9989 4.7", "RFC 9989 4.10.2"),
    )

    record: str


def check(dossier: Dossier) -> Iterator[DeclaredPublicSuffix]:
    """Look at the record that counts for the domain."""
    found = counted(dossier)
    survey = dossier.survey.dmarc
    if found and not survey.inherited and found.record.psd is Psd.YES and not is_public_suffix(survey.domain):
        yield DeclaredPublicSuffix(at=found.at, seen_in=found.seen_in, record=found.record.text)
