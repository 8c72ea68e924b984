"""A key that signs for the domain itself only."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dkim.key import Remark
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dkim._select import remarked


class StrictIdentity(Finding):
    """A key carries t=s: the identity in a signature (i=) must not be a subdomain."""

    rule = Rule("DKIM032", "strict-identity", Severity.INFO, cites=("RFC 6376 3.6.1",))
    selector: str


def check(dossier: Dossier) -> Iterator[StrictIdentity]:
    for facts, _ in remarked(dossier, Remark.STRICT_IDENTITY):
        yield StrictIdentity(at=facts.name, seen_in=facts.questions, selector=facts.selector)
