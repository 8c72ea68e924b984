"""An RSA key with an unusually large exponent."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dkim.key import Remark
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dkim._select import remarked


class LargeExponent(Finding):
    """The public exponent of an RSA key is larger than common libraries accept."""

    rule = Rule("DKIM026", "large-exponent", Severity.LOW, cites=("RFC 8017 3.1",))
    selector: str
    bits: int


def check(dossier: Dossier) -> Iterator[LargeExponent]:
    for facts, key in remarked(dossier, Remark.LARGE_EXPONENT):
        yield LargeExponent(at=facts.name, seen_in=facts.questions, selector=facts.selector, bits=key.bits or 0)
