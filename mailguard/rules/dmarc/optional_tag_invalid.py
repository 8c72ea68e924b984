"""DMARC036: One of adkim, aspf, t and psd has a value that does not exist, so that its default counts."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dmarc.record import ProblemCode
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dmarc._select import counted


class OptionalTagInvalid(Finding):
    """One of adkim, aspf, t and psd has a value that does not exist, so that its default counts."""

    rule = Rule("DMARC036", "optional-tag-invalid", Severity.MEDIUM, cites=("RFC 9989 4.8", "RFC 9989 4.7"))

    record: str
    tag: str
    value: str
    counts_as: str


def check(dossier: Dossier) -> Iterator[OptionalTagInvalid]:
    """Look at the record that counts for the domain."""
    found = counted(dossier)
    if found is None:
        return
    defaults = {"adkim": "r", "aspf": "r", "t": "n", "psd": "u"}
    bad = (ProblemCode.BAD_VALUE, ProblemCode.EMPTY_VALUE, ProblemCode.BAD_CHARACTER)
    for problem in found.record.problems:
        if problem.tag in defaults and problem.code in bad:
            yield OptionalTagInvalid(
                at=found.at,
                seen_in=found.seen_in,
                record=found.record.text,
                tag=problem.tag,
                value=problem.text,
                counts_as=defaults[problem.tag],
            )
