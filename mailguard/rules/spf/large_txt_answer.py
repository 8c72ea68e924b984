"""The TXT records at the domain do not fit into a small DNS answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.spf.survey import SpfStatus

GUIDELINE_OCTETS: Final = 450
"""RFC 7208 section 3.4: name and all TXT texts together."""


class LargeTxtAnswer(Finding):
    """Answers over 512 octets need EDNS or TCP, which old firewalls sometimes stop."""

    rule = Rule("SPF038", "large-txt-answer", Severity.LOW, cites=("RFC 7208 3.4",))
    octets: int
    limit: int
    count: int  # TXT records at the name


def check(dossier: Dossier) -> Iterator[LargeTxtAnswer]:
    """Counts the name and every text at it, SPF or not."""
    spf = dossier.survey.spf
    octets = len(spf.txt.question.name) + sum(map(len, spf.txt.texts))
    if spf.status in (SpfStatus.VALID, SpfStatus.PERMERROR) and octets > GUIDELINE_OCTETS:
        yield LargeTxtAnswer(
            at=spf.domain,
            seen_in=(spf.txt.question,),
            octets=octets,
            limit=GUIDELINE_OCTETS,
            count=len(spf.txt.texts),
        )
