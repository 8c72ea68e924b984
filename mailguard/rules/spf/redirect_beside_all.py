"""A redirect that an ``all`` puts out of use."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.spf._select import apex, valid, visible


class RedirectBesideAll(Finding):
    """The record has both ``all`` and a redirect; the redirect is ignored."""

    rule = Rule("SPF023", "redirect-beside-all", Severity.MEDIUM, cites=("RFC 7208 6.1", "RFC 7208 5.1"))
    record: str
    term: str


def check(dossier: Dossier) -> Iterator[RedirectBesideAll]:
    """The domain's own record only."""
    spf = valid(dossier)
    record = spf.record if spf else None
    redirect = record.modifier("redirect") if record else None
    if spf and record and redirect and record.all:
        yield RedirectBesideAll(
            at=spf.domain, seen_in=apex(spf), record=visible(record.text), term=visible(redirect.text)
        )
