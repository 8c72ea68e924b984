"""What a look into DNS can answer of the check sheet and of the vendors' questionnaire. In no language.

Both are data (``sheets.py``); an entry names in ``seen`` which of the looks below answers it. A look answers yes or no
only for what was seen. Where a deciding question had no answer it says so, and where nothing that was asked decides, it
leaves the answer to people.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from mailguard.guidebook.actors import Actor, companies
from mailguard.guidebook.case import Case
from mailguard.guidebook.unused import refuses_all
from mailguard.render.phrases import SCOPES
from mailguard.render.reading import is_waived

Document = dict[str, Any]


class Mark(StrEnum):
    """What stands in the column of answers."""

    YES = "yes"
    NO = "no"
    UNANSWERED = "unanswered"  # DNS was asked and did not say
    OPEN = "open"  # for people to answer


@dataclass(frozen=True, slots=True)
class Look:
    """An answer with what it rests on: records, selectors. ``shown`` is strangers' text."""

    mark: Mark
    shown: tuple[str, ...] = ()


_OPEN: Final = Look(Mark.OPEN)
_UNANSWERED: Final = Look(Mark.UNANSWERED)
_STRICT: Final = frozenset({"quarantine", "reject"})
_RECEIVING: Final = frozenset(f"ZONE{number:03}" for number in (1, 3, 4, 5, 6, 7, 8))
_USABLE: Final = frozenset({"ok", "weak", "testing"})
_SHORT: Final = frozenset({"weak", "too_short"})


def look(name: str, case: Case) -> Look:
    """What was seen. ``name`` is an entry's ``seen``, one of ``LOOKS``, or empty where only people can answer."""
    return _LOOKS[name](case) if name else _OPEN


def _spf_published(case: Case) -> Look:
    spf = case.document["spf"]
    if spf["status"] == "unanswered":
        return _UNANSWERED
    return Look(Mark.YES if spf["status"] == "valid" else Mark.NO, _record(spf))


def _spf_closes(case: Case) -> Look:
    """Without a record that counts there is no end to look at."""
    spf = case.document["spf"]
    if spf["status"] != "valid":
        return _UNANSWERED if spf["status"] == "unanswered" else Look(Mark.NO)
    if spf["all"] is None and "redirect=" in str(spf["record"]).lower():
        return _OPEN  # it may end elsewhere
    return Look(Mark.YES if spf["all"] in ("-all", "~all") else Mark.NO, _record(spf))


def _spf_lists_provider(case: Case) -> Look:
    """Yes where one of the mail provider's names stands in our record. That none does says little: Sakura has none."""
    record = case.document["spf"]["record"] if case.document["spf"]["status"] == "valid" else None
    seen = case.knowledge.recognise(spf_terms=str(record).split()) if record else ()
    named = {one.provider.id for one in seen}
    known = {company.id for company in companies(case, Actor.MAIL)}
    return Look(Mark.YES, _record(case.document["spf"])) if named & known else _OPEN


def _dkim_key_published(case: Case) -> Look:
    dkim = case.document["dkim"]
    shown = tuple(one["selector"] for one in dkim["selectors"] if one["status"] in _USABLE)
    if shown:
        return Look(Mark.YES, shown)
    if dkim["status"] == "absent":
        return Look(Mark.NO)
    # A selector that nobody named is no missing key.
    return _UNANSWERED if dkim["status"] == "unanswered" else _OPEN


def _dkim_key_length(case: Case) -> Look:
    """Of the keys that were seen; of others nothing is known."""
    selectors = case.document["dkim"]["selectors"]
    short = [one for one in selectors if one["status"] in _SHORT]
    usable = [one for one in selectors if one["status"] in _USABLE]
    if short:
        return Look(Mark.NO, tuple(map(_key, short)))
    if usable:
        return Look(Mark.YES, tuple(map(_key, usable)))
    return _UNANSWERED if case.document["dkim"]["status"] == "unanswered" else _OPEN


def _key(selector: Document) -> str:
    kind = f"{selector['key_type']} {selector['bits']}" if selector["bits"] else str(selector["key_type"])
    return f"{selector['selector']} ({kind})"


def _dmarc_published(case: Case) -> Look:
    dmarc = case.document["dmarc"]
    if dmarc["status"] == "unanswered":
        return _UNANSWERED
    return Look(Mark.YES if dmarc["status"] == "valid" else Mark.NO, _record(dmarc))


def _dmarc_reports(case: Case) -> Look:
    dmarc = case.document["dmarc"]
    if dmarc["status"] == "unanswered":
        return _UNANSWERED
    places = [one for one in dmarc["destinations"] if one["kind"] == "rua"] if dmarc["status"] == "valid" else []
    kinds = {one["status"] for one in places}
    if "accepted" in kinds:
        return Look(Mark.YES, tuple(one["uri"] for one in places if one["status"] == "accepted"))
    return _UNANSWERED if "unanswered" in kinds else Look(Mark.NO)


def _dmarc_enforces(case: Case) -> Look:
    return _enforces(case.document, "domain")


def _dmarc_enforces_below(case: Case) -> Look:
    return _enforces(case.document, "subdomain", "nonexistent_subdomain")


def _enforces(document: Document, *scopes: str) -> Look:
    """No as soon as one is seen open, yes only when all are seen closed."""
    outcomes = [document["dmarc"]["effective_policy"][scope] for scope in scopes]
    if any(outcome not in _STRICT and outcome != "unanswered" for outcome in outcomes):
        return Look(Mark.NO, _record(document["dmarc"]))
    return _UNANSWERED if "unanswered" in outcomes else Look(Mark.YES, _record(document["dmarc"]))


def _mail_arrives(case: Case) -> Look:
    mx = case.document["mx"]
    if mx["status"] == "unanswered":
        return _UNANSWERED
    trouble = any(one["rule"] in _RECEIVING and not is_waived(one) for one in case.document["findings"])
    return Look(Mark.YES if mx["status"] == "hosts" and not trouble else Mark.NO, tuple(mx["hosts"]))


def _parked(case: Case) -> Look:
    status = case.document["parked"]["status"]
    if status == "not_parked":  # it receives
        return _silent(case)
    if status == "unanswered":
        return _UNANSWERED
    return Look(Mark.YES if status == "perfect" else Mark.NO)


def _silent(case: Case) -> Look:
    """SPF lists nobody, and DMARC refuses everything: yes only when both are seen."""
    policies = _enforces(case.document, *SCOPES)
    says_nobody = str(case.document["spf"]["record"]).lower().split() == ["v=spf1", "-all"]
    if case.document["spf"]["status"] == "unanswered" or policies.mark is Mark.UNANSWERED:
        return _UNANSWERED
    return Look(Mark.YES if says_nobody and refuses_all(case.document) else Mark.NO)


def _record(part: Document) -> tuple[str, ...]:
    return (part["record"],) if part["record"] else ()


_LOOKS: Final[Mapping[str, Callable[[Case], Look]]] = {
    "spf-published": _spf_published,
    "spf-closes": _spf_closes,
    "spf-lists-provider": _spf_lists_provider,
    "dkim-key-published": _dkim_key_published,
    "dkim-key-length": _dkim_key_length,
    "dmarc-published": _dmarc_published,
    "dmarc-reports": _dmarc_reports,
    "dmarc-enforces": _dmarc_enforces,
    "dmarc-enforces-below": _dmarc_enforces_below,
    "mail-arrives": _mail_arrives,
    "parked": _parked,
}
LOOKS: Final = frozenset(_LOOKS)
"""Names that an entry may give as ``seen``."""
