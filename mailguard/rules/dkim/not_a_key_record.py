"""A text that is no key record."""

from __future__ import annotations

from collections.abc import Iterator

from mailguard.dkim.key import Flaw
from mailguard.dossier import Dossier
from mailguard.rules.base import Finding, Rule, Severity
from mailguard.rules.dkim._select import flawed


class NotAKeyRecord(Finding):
    """The text at a selector is no tag list with a key in it."""

    rule = Rule("DKIM011", "not-a-key-record", Severity.HIGH, cites=("RFC 6376 3.2", "RFC 6376 3.6.1"))
    selector: str
    detail: str  # the text, or the part that is no tag


def check(dossier: Dossier) -> Iterator[NotAKeyRecord]:
    for facts, key in flawed(dossier, Flaw.NOT_A_KEY, Flaw.NO_KEY_DATA, Flaw.BAD_TAG_LIST):
        yield NotAKeyRecord(at=facts.name, seen_in=facts.questions, selector=facts.selector, detail=key.detail)
