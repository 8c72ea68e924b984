"""A revocation for every selector of a domain that sends."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dkim._select import should_sign


class WildcardRevocation(Finding):
    """A wildcard revokes every selector that has no key of its own, and no usable key was seen."""

    rule = Rule("DKIM025", "wildcard-revocation", Severity.MEDIUM, cites=("RFC 6376 3.6.1", "RFC 4592 3.3.1"))


def check(dossier: Dossier) -> Iterator[WildcardRevocation]:
    dkim = dossier.survey.dkim
    revoked = dkim.wildcard is not None and dkim.wildcard.revoked
    if revoked and not dkim.usable and should_sign(dossier):
        yield WildcardRevocation(at=dkim.below.question.name.child("*"), seen_in=(dkim.control.question,))
