"""DMARC018: Texts that are no DMARC record stand at its name; receivers discard them, some tools stumble."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.nearmiss import near_miss
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity


class UnrelatedText(Finding):
    """Texts that are no DMARC record stand at its name; receivers discard them, some tools stumble."""

    rule = Rule("DMARC018", "unrelated-text", Severity.LOW, cites=("RFC 9989 4.10",))

    texts: tuple[str, ...]


def check(dossier: Dossier) -> Iterator[UnrelatedText]:
    """A near miss is told here only beside a good record."""
    own = dossier.survey.dmarc.own
    texts = tuple(text for text in own.others if own.records or not near_miss(text))
    if texts:
        yield UnrelatedText(at=own.question.name, seen_in=(own.question,), texts=texts)
