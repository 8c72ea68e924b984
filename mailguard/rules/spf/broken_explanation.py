"""An ``exp`` that explains nothing."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.spf._select import apex, valid, visible
from mailguard.spf.explanation import is_usable_explanation


class BrokenExplanation(Finding):
    """The text that should explain a refusal cannot be had; results are not affected."""

    rule = Rule("SPF040", "broken-explanation", Severity.LOW, cites=("RFC 7208 6.2",))
    term: str


def check(dossier: Dossier) -> Iterator[BrokenExplanation]:
    """Exactly one TXT record in ASCII without macro faults is wanted; quiet where it was not answered."""
    spf = valid(dossier)
    exp = spf.record.modifier("exp") if spf and spf.record else None
    answer = spf.explanation if spf else None
    if spf and exp and answer and not answer.unanswered and not is_usable_explanation(answer.texts):
        yield BrokenExplanation(at=spf.domain, seen_in=(*apex(spf), answer.question), term=visible(exp.text))
