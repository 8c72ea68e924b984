"""Kinds of work: who does them, in which stage, how long they take, and which findings call for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from mailguard.guidebook.actors import Actor
from mailguard.guidebook.unused import is_found_unused, is_without_mail, refuses_all
from mailguard.render.reading import is_waived

Document = dict[str, Any]


class Stage(StrEnum):
    """A step of the roll-out; the order of the members is the order of the work."""

    CHECK = "check"  # something decisive was not answered
    FIND = "find"  # who sends in our name
    REPAIR = "repair"  # SPF, DKIM and MX
    MONITOR = "monitor"  # DMARC that asks for reports
    OBSERVE = "observe"  # reading them
    TIGHTEN = "tighten"  # asking receivers to be stricter
    LATER = "later"  # costs nobody a mail today
    WATCH = "watch"  # when all is done


class Work(StrEnum):
    """A kind of task; there is at most one of each in a plan."""

    AUDIT_AGAIN = "audit-again"
    OWN_DOMAIN = "own-domain"
    CHECK_NAME = "check-name"
    SEND_REQUESTS = "send-requests"
    LIST_SENDERS = "list-senders"
    NAME_WEB_MAIL = "name-web-mail"
    TEST_MAIL = "test-mail"
    ASK_LISTS = "ask-lists"
    CHECK_PROGRAMMES = "check-programmes"
    CONFIRM_UNUSED = "confirm-unused"
    TELL_SPF = "tell-spf"
    PUBLISH_SPF = "publish-spf"
    MAKE_KEY = "make-key"
    PUBLISH_KEY = "publish-key"
    CONFIRM_KEY = "confirm-key"
    CORRECT_KEY = "correct-key"
    TIDY_KEYS = "tidy-keys"
    TELL_MX = "tell-mx"
    CORRECT_MX = "correct-mx"
    CORRECT_ZONE = "correct-zone"
    PUBLISH_PARKED = "publish-parked"
    ASK_PARENT = "ask-parent"
    MAKE_MAILBOX = "make-mailbox"
    START_DMARC = "start-dmarc"
    REPAIR_DMARC = "repair-dmarc"
    ASK_RECEIVER = "ask-receiver"
    READ_REPORTS = "read-reports"
    AUDIT_ANEW = "audit-anew"
    TIGHTEN = "tighten"
    QUARANTINE = "quarantine"
    READ_ON = "read-on"
    REJECT = "reject"
    REVIEW_WAIVERS = "review-waivers"
    KEEP_IN_MIND = "keep-in-mind"
    KEEP_WATCHING = "keep-watching"
    KEEP_UNUSED = "keep-unused"


@dataclass(frozen=True, slots=True)
class Kind:
    """What all tasks of a kind share: least and most minutes of work, and the days it is given once it can begin."""

    actor: Actor
    stage: Stage
    minutes: tuple[int, int]
    days: int = 7


KINDS: Final = {
    Work.AUDIT_AGAIN: Kind(Actor.HOSPITAL, Stage.CHECK, (5, 10)),
    Work.OWN_DOMAIN: Kind(Actor.HOSPITAL, Stage.CHECK, (240, 480)),
    Work.CHECK_NAME: Kind(Actor.HOSPITAL, Stage.CHECK, (15, 30)),
    Work.SEND_REQUESTS: Kind(Actor.HOSPITAL, Stage.FIND, (15, 30)),
    Work.LIST_SENDERS: Kind(Actor.HOSPITAL, Stage.FIND, (60, 120)),
    Work.NAME_WEB_MAIL: Kind(Actor.WEB, Stage.FIND, (15, 30), days=14),
    Work.TEST_MAIL: Kind(Actor.HOSPITAL, Stage.FIND, (15, 30)),
    Work.ASK_LISTS: Kind(Actor.HOSPITAL, Stage.FIND, (15, 30)),
    Work.CHECK_PROGRAMMES: Kind(Actor.HOSPITAL, Stage.FIND, (15, 30)),
    Work.CONFIRM_UNUSED: Kind(Actor.HOSPITAL, Stage.FIND, (60, 60)),
    Work.TELL_SPF: Kind(Actor.MAIL, Stage.FIND, (10, 30), days=14),
    Work.PUBLISH_SPF: Kind(Actor.DNS, Stage.REPAIR, (10, 30), days=14),
    Work.MAKE_KEY: Kind(Actor.MAIL, Stage.REPAIR, (30, 60), days=14),
    Work.PUBLISH_KEY: Kind(Actor.DNS, Stage.REPAIR, (10, 30)),
    Work.CONFIRM_KEY: Kind(Actor.MAIL, Stage.REPAIR, (10, 30), days=14),
    Work.CORRECT_KEY: Kind(Actor.DNS, Stage.REPAIR, (10, 30)),
    Work.TIDY_KEYS: Kind(Actor.DNS, Stage.REPAIR, (10, 30), days=14),
    Work.TELL_MX: Kind(Actor.MAIL, Stage.REPAIR, (10, 30), days=14),
    Work.CORRECT_MX: Kind(Actor.DNS, Stage.REPAIR, (10, 30)),
    Work.CORRECT_ZONE: Kind(Actor.DNS, Stage.REPAIR, (10, 30), days=14),
    Work.PUBLISH_PARKED: Kind(Actor.DNS, Stage.REPAIR, (30, 30), days=14),
    Work.ASK_PARENT: Kind(Actor.HOSPITAL, Stage.MONITOR, (30, 60)),
    Work.MAKE_MAILBOX: Kind(Actor.HOSPITAL, Stage.MONITOR, (30, 30)),
    Work.START_DMARC: Kind(Actor.DNS, Stage.MONITOR, (5, 15), days=14),
    Work.REPAIR_DMARC: Kind(Actor.DNS, Stage.MONITOR, (5, 15), days=14),
    Work.ASK_RECEIVER: Kind(Actor.HOSPITAL, Stage.MONITOR, (30, 60)),
    Work.READ_REPORTS: Kind(Actor.HOSPITAL, Stage.OBSERVE, (60, 120), days=31),
    Work.AUDIT_ANEW: Kind(Actor.HOSPITAL, Stage.OBSERVE, (15, 30)),
    Work.TIGHTEN: Kind(Actor.DNS, Stage.TIGHTEN, (5, 15), days=14),
    Work.QUARANTINE: Kind(Actor.DNS, Stage.TIGHTEN, (5, 15), days=14),
    Work.READ_ON: Kind(Actor.HOSPITAL, Stage.TIGHTEN, (60, 120), days=31),
    Work.REJECT: Kind(Actor.DNS, Stage.TIGHTEN, (5, 15), days=14),
    Work.REVIEW_WAIVERS: Kind(Actor.HOSPITAL, Stage.LATER, (15, 30)),
    Work.KEEP_IN_MIND: Kind(Actor.HOSPITAL, Stage.LATER, (5, 10)),
    Work.KEEP_WATCHING: Kind(Actor.HOSPITAL, Stage.WATCH, (60, 120)),
    Work.KEEP_UNUSED: Kind(Actor.HOSPITAL, Stage.WATCH, (15, 30)),
}


NEXT_TIME: Final = frozenset({Work.QUARANTINE, Work.REJECT})
"""Works whose record stands in the guide that is made after the reports: no letter of this one asks for them."""


def _rules(family: str, *numbers: int) -> tuple[str, ...]:
    return tuple(f"{family}{number:03}" for number in numbers)


FOR_SILENT: Final = ("SPF041", "DMARC060")
"""Rules of SPF and DMARC that are about domains without mail, and whose pages speak to those."""

_SPECIAL: Final = {
    Work.OWN_DOMAIN: _rules("ADDR", 1, 2),
    Work.CHECK_NAME: _rules("ZONE", 1),
    Work.TEST_MAIL: ("DKIM030", "ADDR004"),
    Work.ASK_LISTS: ("DMARC058",),
    Work.CHECK_PROGRAMMES: _rules("PROG", 1, 2, 3),
    Work.PUBLISH_SPF: ("ADDR003", "ZONE002"),
    Work.MAKE_KEY: _rules("DKIM", 1, 3, 4, 5, 7, 16, 20, 24, 26, 27),
    Work.TIDY_KEYS: _rules("DKIM", 2, 21, 22, 28, 31, 32, 33),
    Work.CORRECT_ZONE: ("SPF046", "SPF038", "DKIM025", "DKIM029", *_rules("ZONE", 11, 12, 13, 21)),
    Work.PUBLISH_PARKED: (*FOR_SILENT, *_rules("ZONE", 14, 15, 16, 17, 20, 22)),
    Work.ASK_PARENT: ("DMARC031", "DMARC054", "ADDR006"),
    Work.START_DMARC: ("ADDR005", *_rules("DMARC", 1, 6, 7, 19, 41)),
    Work.ASK_RECEIVER: _rules("DMARC", 48, 49, 52),
    Work.TIGHTEN: _rules("DMARC", 20, 21, 22, 23, 26, 27, 28, 29, 32, 57),
    Work.KEEP_IN_MIND: ("ZONE023",),
}
"""Rules whose work is not the usual one of their family."""

_WORK_OF_RULE: Final = {rule: work for work, rules in _SPECIAL.items() for rule in rules}
_WORK_OF_FAMILY: Final = {
    "SPF": Work.PUBLISH_SPF,
    "DKIM": Work.CORRECT_KEY,
    "DMARC": Work.REPAIR_DMARC,
    "ZONE": Work.CORRECT_MX,
}
_QUESTIONS: Final = frozenset(
    {Work.TEST_MAIL, Work.ASK_LISTS, Work.ASK_PARENT, Work.CHECK_PROGRAMMES, Work.OWN_DOMAIN, Work.START_DMARC}
)
"""Works that are worth doing although their finding is a remark only."""


@dataclass(frozen=True, slots=True)
class _Domain:
    """What counts for every finding of an audit. ``leads``: of the findings that share a fix the first, by the fix."""

    is_shared: bool  # a provider's own
    is_unused: bool  # to be declared as neither sending nor receiving
    is_silent: bool  # sends nothing
    refuses_all: bool
    leads: Mapping[str, Document]


def works_of(document: Document) -> tuple[Work, ...]:
    """The work that each of an audit's findings calls for, beside the others."""
    findings: Sequence[Document] = document["findings"]
    leads: dict[str, Document] = {}
    for one in findings:
        if not is_waived(one):
            leads.setdefault(fix_key(one["fix"]), one)
    domain = _Domain(
        is_shared=any(one["rule"] == "ADDR001" for one in findings),
        is_unused=is_found_unused(document),
        is_silent=is_without_mail(document),
        refuses_all=refuses_all(document),
        leads=leads,
    )
    return tuple(_work_of(one, domain) for one in findings)


def fix_key(fix: Document | None) -> str:
    """The same text for the same fix."""
    return repr(fix)


def _work_of(finding: Document, domain: _Domain) -> Work:
    if is_waived(finding):
        return Work.REVIEW_WAIVERS
    # Nobody in the house can publish anything in a provider's domain.
    if domain.is_shared:
        return Work.OWN_DOMAIN
    # A domain that is to be declared unused gets one set of records, which leaves nothing else to correct.
    if domain.is_unused and _usual_work(finding) not in _EVEN_IF_UNUSED:
        return Work.PUBLISH_PARKED
    work = _work_with_fix(finding, domain)
    return _work_of_silent(work, domain) if domain.is_silent else work


_EVEN_IF_UNUSED: Final = frozenset({Work.ASK_PARENT, Work.CHECK_PROGRAMMES, Work.OWN_DOMAIN, Work.KEEP_IN_MIND})


def _work_with_fix(finding: Document, domain: _Domain) -> Work:
    if finding["fix"] is None:
        return _usual_work(finding)
    reasons = finding["fix"]["reasons"]
    if "record-of-others" in reasons:
        return Work.ASK_PARENT
    if "assumes-no-mail" in reasons:
        return Work.PUBLISH_PARKED
    if "tightens-policy" in reasons:
        return Work.TIGHTEN
    work = _usual_work(domain.leads[fix_key(finding["fix"])])
    return Work.REPAIR_DMARC if work is Work.TIGHTEN else work


def _work_of_silent(work: Work, domain: _Domain) -> Work:
    """Where no mail is sent, none is watched before it is refused, and nobody lists who sends."""
    if work is Work.PUBLISH_SPF:
        return Work.PUBLISH_PARKED
    if work in (Work.START_DMARC, Work.REPAIR_DMARC, Work.TIGHTEN):
        return Work.REPAIR_DMARC if domain.refuses_all else Work.PUBLISH_PARKED
    return work


def _usual_work(finding: Document) -> Work:
    rule = finding["rule"]
    work = _WORK_OF_RULE.get(rule) or _WORK_OF_FAMILY.get(rule.rstrip("0123456789"), Work.KEEP_IN_MIND)
    is_remark = finding["severity"] == "info" and finding["fix"] is None and work not in _QUESTIONS
    return Work.KEEP_IN_MIND if is_remark else work
