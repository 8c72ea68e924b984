"""Page one in three lights, and what may come of what they show. In no language.

A light is green only for what was seen. What was not answered has a light of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from mailguard.guidebook.blocks import Tone
from mailguard.guidebook.tasks import Plan, Stage, Work
from mailguard.guidebook.unused import is_without_mail
from mailguard.render.phrases import SCOPES
from mailguard.render.reading import is_waived
from mailguard.traffic import SourceClass, Traffic

Document = dict[str, Any]


class Light(StrEnum):
    """What a light is about."""

    FAKES = "fakes"  # can others send in our name
    OWN_MAIL = "own-mail"  # is our own mail recognised, and does mail reach us
    SIGHT = "sight"  # do we see what happens


@dataclass(frozen=True, slots=True)
class Shown:
    """A light as it shines. ``why`` names the words; the numbers count reported mail where it speaks of some.

    ``others`` did not pass and cannot be told to be ours: strangers', forwarded, or of a service that nobody listed.
    """

    light: Light
    tone: Tone
    why: str
    messages: int = 0
    failed: int = 0
    others: int = 0


class Harm(StrEnum):
    """What may happen. Each is told only where what was seen makes it possible."""

    FAKE_NOTICES = "fake-notices"  # appointments, test results
    FAKE_BILLS = "fake-bills"  # invoices, changed accounts
    FAKE_OFFERS = "fake-offers"  # job seekers
    FAKE_IN_JUNK = "fake-in-junk"  # the same, in the junk folder
    FAKE_BELOW = "fake-below"  # in the name of a part of the domain
    OWN_MAIL_LOST = "own-mail-lost"  # ours is taken for fake
    NO_MAIL_REACHES = "no-mail-reaches"  # mail to us is lost
    NOT_KNOWN = "not-known"
    NONE_SEEN = "none-seen"


class Decision(StrEnum):
    """The one decision that is wanted from the director."""

    LOOK_AGAIN = "look-again"
    CHECK_NAME = "check-name"
    OWN_DOMAIN = "own-domain"
    BEGIN = "begin"  # repairs, and reports
    START = "start"  # reports
    REPAIR = "repair"
    TIGHTEN = "tighten"
    PARK = "park"
    ASK_PARENT = "ask-parent"
    REVIEW = "review"  # nothing is left but what was decided to be left
    KEEP = "keep"


def three_lights(document: Document, traffic: Traffic | None) -> tuple[Shown, Shown, Shown]:
    """The three lights of page one. Never raises."""
    return _fakes(document), _own_mail(document, traffic), _sight(document, traffic)


def _fakes(document: Document) -> Shown:
    verdicts: Mapping[str, str] = document["spoofable"]
    domain, below = verdicts["domain"], {verdicts[scope] for scope in SCOPES[1:]}
    if domain == "yes":
        return Shown(Light.FAKES, Tone.ACT, f"yes-{_cause(document)}")
    if domain == "unknown":
        return Shown(Light.FAKES, Tone.UNKNOWN, "unknown")
    if "yes" in below:
        return Shown(Light.FAKES, Tone.CARE, "below")
    if domain == "partly":
        return Shown(Light.FAKES, Tone.CARE, "junk")
    if "unknown" in below:
        return Shown(Light.FAKES, Tone.UNKNOWN, "unknown-below")
    return Shown(Light.FAKES, Tone.GOOD if below == {"no"} else Tone.CARE, "no" if below == {"no"} else "junk-below")


def _cause(document: Document) -> str:
    """Why strangers can: nothing is asked of receivers, or something stands open."""
    because = document["spoofable"]["reasons"]["domain"]
    return "open" if because in ("spf-passes-everyone", "key-open-to-all") else "policy"


_OURS: Final = (SourceClass.LISTED, SourceClass.PARTLY, SourceClass.SERVICE)
_TOO_MUCH: Final = 0.02  # of our own mail; forwarding alone fails about so much


def _own_mail(document: Document, traffic: Traffic | None) -> Shown:
    if _has_trouble(document, _RECEIVING):
        return Shown(Light.OWN_MAIL, Tone.ACT, "receiving")
    if is_without_mail(document):
        return Shown(Light.OWN_MAIL, *_UNUSED[document["parked"]["status"] == "perfect"])
    if document["spf"]["status"] == "permerror":
        return Shown(Light.OWN_MAIL, Tone.ACT, "spf-broken")
    if traffic is not None and traffic.messages:
        return _own_mail_reported(traffic)
    return Shown(Light.OWN_MAIL, *_OWN_MAIL[_settings(document)])


_RECEIVING: Final = frozenset(f"ZONE{number:03}" for number in (1, 3, 4, 5, 6, 7, 8))
_UNUSED: Final = {True: (Tone.GOOD, "unused"), False: (Tone.CARE, "unused-open")}
_OWN_MAIL: Final = {
    "both": (Tone.GOOD, "both"),
    "one": (Tone.CARE, "one"),
    "neither": (Tone.ACT, "neither"),
    "spf-alone": (Tone.UNKNOWN, "spf-alone"),
    "spf-missing": (Tone.CARE, "spf-missing"),
    "unknown": (Tone.UNKNOWN, "unknown"),
}


def _settings(document: Document) -> str:
    """What is seen of SPF and DKIM. A key that nobody named is no missing key."""
    spf, dkim = document["spf"]["status"], document["dkim"]["status"]
    if spf == "unanswered" or dkim == "unanswered":
        return "unknown"
    has_spf = spf == "valid" and not _has_trouble(document, frozenset({"ADDR003", "ZONE002"}))
    if dkim == "unknown":
        return "spf-alone" if has_spf else "spf-missing"
    has_dkim = dkim == "present" and any(one["status"] in ("ok", "weak") for one in document["dkim"]["selectors"])
    return ("neither", "one", "both")[has_spf + has_dkim]


def _own_mail_reported(traffic: Traffic) -> Shown:
    ours = [source for source in traffic.sources if source.kind in (SourceClass.ALIGNED, *_OURS)]
    messages = sum(source.messages for source in ours)
    failed = messages - sum(source.passed for source in ours)
    if not messages:
        return Shown(Light.OWN_MAIL, Tone.UNKNOWN, "reported-none")
    others = traffic.messages - traffic.passed - failed
    if failed > messages * _TOO_MUCH:
        return Shown(Light.OWN_MAIL, Tone.CARE, "reported-failing", messages, failed, others)
    return Shown(Light.OWN_MAIL, Tone.GOOD, "reported-others" if others else "reported", messages, failed, others)


def _sight(document: Document, traffic: Traffic | None) -> Shown:
    if traffic is not None and traffic.messages:
        return Shown(Light.SIGHT, Tone.GOOD, "read", traffic.messages)
    if document["dmarc"]["status"] == "unanswered":
        return Shown(Light.SIGHT, Tone.UNKNOWN, "unknown")
    asked = {one["status"] for one in document["dmarc"]["destinations"] if one["kind"] == "rua"}
    if document["dmarc"]["status"] == "valid" and asked - {"refused"}:
        return Shown(Light.SIGHT, Tone.UNKNOWN, "asked" if "accepted" in asked else "unknown")
    if is_without_mail(document) and not _has_trouble(document, _REPORTS_WANTED):
        return Shown(Light.SIGHT, Tone.QUIET, "unused")
    return Shown(Light.SIGHT, Tone.CARE, "none")


_REPORTS_WANTED: Final = frozenset({"DMARC019", "DMARC041"})


def _has_trouble(document: Document, rules: frozenset[str]) -> bool:
    return any(finding["rule"] in rules and not is_waived(finding) for finding in document["findings"])


def harms(document: Document, lights: tuple[Shown, ...]) -> tuple[Harm, ...]:
    """What may happen, the gravest first, three at most."""
    return tuple(_harms(document, lights))[:3]


def _harms(document: Document, lights: tuple[Shown, ...]) -> Iterator[Harm]:
    fakes, own = lights[0], lights[1]
    if own.why == "receiving":
        yield Harm.NO_MAIL_REACHES
    if own.why in ("spf-broken", "neither", "reported-failing"):
        yield Harm.OWN_MAIL_LOST
    if fakes.tone is Tone.ACT:
        yield from (Harm.FAKE_NOTICES, Harm.FAKE_BILLS, Harm.FAKE_OFFERS)
    elif fakes.why in ("below", "junk-below"):
        yield Harm.FAKE_BELOW
    elif fakes.why == "junk":
        yield Harm.FAKE_IN_JUNK
    elif fakes.tone is Tone.UNKNOWN:
        yield Harm.NOT_KNOWN
    elif own.why not in ("receiving", "spf-broken", "neither", "reported-failing"):
        yield Harm.NONE_SEEN


def decision(document: Document, plan: Plan) -> Decision:
    """The one decision that is wanted now: that which opens the way to the rest."""
    return next(_decisions(document, plan), Decision.KEEP)


def _decisions(document: Document, plan: Plan) -> Iterator[Decision]:
    is_shared = any(one["rule"] == "ADDR001" for one in document["findings"])
    now = {task.work for task in plan.tasks if task.stage is not Stage.LATER}
    if plan.has(Work.CHECK_NAME):
        yield Decision.CHECK_NAME
    if plan.has(Work.OWN_DOMAIN) and is_shared:
        yield Decision.OWN_DOMAIN
    if plan.has(Work.PUBLISH_PARKED):
        yield Decision.PARK
    if plan.has(Work.START_DMARC):
        yield Decision.BEGIN if now & _REPAIRS else Decision.START
    if now & _REPAIRS:
        yield Decision.REPAIR
    if plan.has(Work.TIGHTEN):
        yield Decision.TIGHTEN
    if plan.has(Work.AUDIT_AGAIN):
        yield Decision.LOOK_AGAIN
    if Work.ASK_PARENT in now:
        yield Decision.ASK_PARENT
    if plan.has(Work.REVIEW_WAIVERS):
        yield Decision.REVIEW


_REPAIRS: Final = frozenset(
    {
        *(Work.PUBLISH_SPF, Work.MAKE_KEY, Work.CORRECT_KEY, Work.TIDY_KEYS),
        *(Work.CORRECT_MX, Work.CORRECT_ZONE, Work.REPAIR_DMARC),
    }
)
