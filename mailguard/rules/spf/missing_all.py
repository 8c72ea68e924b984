"""A record without ``all`` and without redirect."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.spf._select import apex, valid, visible


class MissingAll(Finding):
    """The record does not say what holds for servers that are not listed, so receivers assume nothing: neutral."""

    rule = Rule("SPF020", "missing-all", Severity.MEDIUM, cites=("RFC 7208 4.7", "RFC 7208 5.1"))
    record: str


def check(dossier: Dossier) -> Iterator[MissingAll]:
    """Follows redirects; quiet where the record that counts was not seen, or where everybody passes anyway."""
    spf = valid(dossier)
    end = spf.end if spf else None
    if spf and end and end.record and end.record.all is None and not spf.everyone_passes:
        seen = tuple(dict.fromkeys((*apex(spf), end.answer.question)))
        yield MissingAll(at=end.domain, seen_in=seen, record=visible(end.record.text))
