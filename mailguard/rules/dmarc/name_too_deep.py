"""DMARC055: The record stands at a name of eight or more labels, which no tree walk from below ever reaches."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import here


class NameTooDeep(Finding):
    """The record stands at a name of eight or more labels, which no tree walk from below ever reaches."""

    rule = Rule("DMARC055", "name-too-deep", Severity.LOW, cites=("RFC 9989 4.10", "RFC 9989 5.1.8"))

    labels: int


def check(dossier: Dossier) -> Iterator[NameTooDeep]:
    """Look at the record that counts for the domain."""
    found = here(dossier)
    labels = len(dossier.survey.domain.labels)
    if found and labels >= 8:
        yield NameTooDeep(at=found.at, seen_in=found.seen_in, labels=labels)
