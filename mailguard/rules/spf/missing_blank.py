"""Two terms grown together, often where a long value was cut into character-strings."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Rule, Severity
from mailguard.rules.spf._select import FaultyTerms, find_faults, visible
from mailguard.spf.edit import grown_together
from mailguard.spf.terms import Reason, find_seam


class MissingBlank(FaultyTerms):
    """A blank is missing between two terms; receivers cannot read them, or read them as one strange name."""

    rule = Rule("SPF008", "missing-blank", Severity.HIGH, cites=("RFC 7208 3.3", "RFC 7208 4.6.1"))


def check(dossier: Dossier) -> Iterator[MissingBlank]:
    """Also finds terms that stay readable by accident: grown together exactly where two character-strings meet."""
    spf = dossier.survey.spf
    yield from find_faults(dossier, MissingBlank, lambda reason: reason is Reason.MISSING_BLANK)
    if spf.record and not spf.record.faults:
        grown = grown_together(spf.candidates[0], spf.record)
        if grown:
            yield MissingBlank(
                at=spf.domain,
                seen_in=(spf.txt.question,),
                record=visible(spf.record.text),
                terms=tuple(visible(term.text) for term in grown),
                position=grown[0].start + find_seam(grown[0].text) + 1,
            )
