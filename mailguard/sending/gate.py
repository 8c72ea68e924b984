"""Whoever advises others on their mail has to be in order: the sender's own domain is judged before anything is sent.

An audit of it, made through the same resolver and by the same rules as those of the clinics, has to show SPF, DKIM and
DMARC, that no stranger can send in its name unhindered, and nothing critical or high. What was not answered is not
taken for good: then nothing is sent, and that is the reason that is given.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from mailguard.errors import Sentence
from mailguard.render.reading import is_waived

Document = dict[str, Any]

MAX_AGE: Final = timedelta(days=1)
"""How old a saved audit of the sender may be."""

_PARTS: Final = (("spf", "SPF"), ("dkim", "DKIM"), ("dmarc", "DMARC"))
_GRAVE: Final = frozenset({"critical", "high"})
_GOOD_ENOUGH: Final = frozenset({"no", "partly"})


def judge_sender(document: Document, domain: str, now: datetime) -> tuple[Sentence, ...]:
    """Why the sender may not send; nothing where it may. ``document`` is an audit of ``domain``."""
    if document["domain"] != domain:
        told = "the audit is about {found}, and mail would be sent from {domain}"
        return (Sentence(told, found=document["domain_unicode"], domain=domain),)
    return (*_age(document, now), *_parts(document), *_verdict(document), *_findings(document))


def _age(document: Document, now: datetime) -> Iterator[Sentence]:
    as_of = datetime.fromisoformat(document["as_of"])
    if now - as_of > MAX_AGE:
        yield Sentence("the audit is more than a day old")
    elif as_of - now > MAX_AGE:
        yield Sentence("the audit is from the future")


def _parts(document: Document) -> Iterator[Sentence]:
    for key, name in _PARTS:
        status = document[key]["status"]
        if status == "unanswered":
            yield Sentence("whether {domain} has {part} was not answered", domain=document["domain"], part=name)
        elif key == "dkim" and status == "unknown":
            told = "no DKIM key of {domain} was found; name the selector in use (dkim_selectors in [sender])"
            yield Sentence(told, domain=document["domain"])
        elif status not in _THERE[key]:
            yield Sentence("{domain} has no {part} that works", domain=document["domain"], part=name)


def _verdict(document: Document) -> Iterator[Sentence]:
    verdict = document["spoofable"]["domain"]
    if verdict == "unknown":
        told = "whether a stranger can send mail as {domain} was not answered"
        yield Sentence(told, domain=document["domain"])
    elif verdict not in _GOOD_ENOUGH:
        yield Sentence("a stranger can send mail as {domain}", domain=document["domain"])


def _findings(document: Document) -> Iterator[Sentence]:
    grave = [one["rule"] for one in document["findings"] if one["severity"] in _GRAVE and not is_waived(one)]
    if grave:
        yield Sentence("there are findings of high severity ({rules})", rules=", ".join(dict.fromkeys(grave)))


_THERE: Final = {"spf": frozenset({"valid"}), "dkim": frozenset({"present"}), "dmarc": frozenset({"valid"})}
