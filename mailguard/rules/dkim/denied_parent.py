"""A name server that denies a name although names exist below it."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity


class DeniedParent(Finding):
    """The name server says that ``_domainkey`` does not exist, though selectors exist below it."""

    rule = Rule("DKIM029", "denied-parent-of-keys", Severity.LOW, cites=("RFC 8020 2",))
    selectors: tuple[str, ...]


def check(dossier: Dossier) -> Iterator[DeniedParent]:
    dkim = dossier.survey.dkim
    if dkim.denies_parent_of_keys:
        yield DeniedParent(
            at=dkim.below.question.name,
            seen_in=(dkim.below.question, *(facts.answer.question for facts in dkim.found)),
            selectors=tuple(facts.selector for facts in dkim.found),
        )
