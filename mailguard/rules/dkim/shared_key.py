"""The same key at several selectors."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dkim.survey import SelectorFacts
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dkim._select import told_keys


class SharedKey(Finding):
    """The same key stands at several selectors, so changing the selector does not change the key."""

    rule = Rule("DKIM031", "key-at-several-selectors", Severity.INFO, cites=("RFC 6376 3.1",))
    selectors: tuple[str, ...]


def check(dossier: Dossier) -> Iterator[SharedKey]:
    holders: dict[bytes, list[SelectorFacts]] = {}
    for facts, key in told_keys(dossier):
        # Aliases for one name are one record, kept by one provider.
        if key.key and not facts.answer.aliases:
            holders.setdefault(key.key, []).append(facts)
    for same in holders.values():
        if len(same) > 1:
            yield SharedKey(
                at=same[0].name,
                seen_in=tuple(facts.answer.question for facts in same),
                selectors=tuple(facts.selector for facts in same),
            )
