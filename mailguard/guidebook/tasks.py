"""From findings to tasks: who does what, in which order, until when. In no language.

The order is that of a careful roll-out: look again where nobody answered, find out who sends, put SPF and DKIM right,
watch with reports, and only then ask receivers to be stricter. Every finding lies in exactly one task, and every fix
too. A task may have neither: it is there because another one needs it first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final

from mailguard.guidebook.actors import Actor
from mailguard.render.reading import is_undecided, is_waived

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
    TIGHTEN = "tighten"
    REVIEW_WAIVERS = "review-waivers"
    KEEP_IN_MIND = "keep-in-mind"
    KEEP_WATCHING = "keep-watching"
    KEEP_UNUSED = "keep-unused"


@dataclass(frozen=True, slots=True)
class _Kind:
    """What all tasks of a kind share: least and most minutes of work, and the days it is given once it can begin."""

    actor: Actor
    stage: Stage
    minutes: tuple[int, int]
    days: int = 7


_KINDS: Final = {
    Work.AUDIT_AGAIN: _Kind(Actor.HOSPITAL, Stage.CHECK, (5, 10)),
    Work.OWN_DOMAIN: _Kind(Actor.HOSPITAL, Stage.CHECK, (240, 480)),
    Work.CHECK_NAME: _Kind(Actor.HOSPITAL, Stage.CHECK, (15, 30)),
    Work.SEND_REQUESTS: _Kind(Actor.HOSPITAL, Stage.FIND, (15, 30)),
    Work.LIST_SENDERS: _Kind(Actor.HOSPITAL, Stage.FIND, (60, 120)),
    Work.NAME_WEB_MAIL: _Kind(Actor.WEB, Stage.FIND, (15, 30), days=14),
    Work.TEST_MAIL: _Kind(Actor.HOSPITAL, Stage.FIND, (15, 30)),
    Work.ASK_LISTS: _Kind(Actor.HOSPITAL, Stage.FIND, (15, 30)),
    Work.CHECK_PROGRAMMES: _Kind(Actor.HOSPITAL, Stage.FIND, (15, 30)),
    Work.CONFIRM_UNUSED: _Kind(Actor.HOSPITAL, Stage.FIND, (60, 60)),
    Work.TELL_SPF: _Kind(Actor.MAIL, Stage.FIND, (10, 30), days=14),
    Work.PUBLISH_SPF: _Kind(Actor.DNS, Stage.REPAIR, (10, 30), days=14),
    Work.MAKE_KEY: _Kind(Actor.MAIL, Stage.REPAIR, (30, 60), days=14),
    Work.PUBLISH_KEY: _Kind(Actor.DNS, Stage.REPAIR, (10, 30)),
    Work.CONFIRM_KEY: _Kind(Actor.MAIL, Stage.REPAIR, (10, 30), days=14),
    Work.CORRECT_KEY: _Kind(Actor.DNS, Stage.REPAIR, (10, 30)),
    Work.TIDY_KEYS: _Kind(Actor.DNS, Stage.REPAIR, (10, 30), days=14),
    Work.TELL_MX: _Kind(Actor.MAIL, Stage.REPAIR, (10, 30), days=14),
    Work.CORRECT_MX: _Kind(Actor.DNS, Stage.REPAIR, (10, 30)),
    Work.CORRECT_ZONE: _Kind(Actor.DNS, Stage.REPAIR, (10, 30), days=14),
    Work.PUBLISH_PARKED: _Kind(Actor.DNS, Stage.REPAIR, (30, 30), days=14),
    Work.ASK_PARENT: _Kind(Actor.HOSPITAL, Stage.MONITOR, (30, 60)),
    Work.MAKE_MAILBOX: _Kind(Actor.HOSPITAL, Stage.MONITOR, (30, 30)),
    Work.START_DMARC: _Kind(Actor.DNS, Stage.MONITOR, (5, 15), days=14),
    Work.REPAIR_DMARC: _Kind(Actor.DNS, Stage.MONITOR, (5, 15), days=14),
    Work.ASK_RECEIVER: _Kind(Actor.HOSPITAL, Stage.MONITOR, (30, 60)),
    Work.READ_REPORTS: _Kind(Actor.HOSPITAL, Stage.OBSERVE, (60, 120), days=31),
    Work.TIGHTEN: _Kind(Actor.DNS, Stage.TIGHTEN, (5, 15), days=14),
    Work.REVIEW_WAIVERS: _Kind(Actor.HOSPITAL, Stage.LATER, (15, 30)),
    Work.KEEP_IN_MIND: _Kind(Actor.HOSPITAL, Stage.LATER, (5, 10)),
    Work.KEEP_WATCHING: _Kind(Actor.HOSPITAL, Stage.WATCH, (60, 120)),
    Work.KEEP_UNUSED: _Kind(Actor.HOSPITAL, Stage.WATCH, (15, 30)),
}

_STAGES: Final = tuple(Stage)
_WORKS: Final = tuple(Work)
_NEVER_DUE_LATE: Final = timedelta(days=14)  # requests go out so long before the first work is due
_LATER: Final = timedelta(days=180)
_YEAR: Final = timedelta(days=365)


def _rules(family: str, *numbers: int) -> tuple[str, ...]:
    return tuple(f"{family}{number:03}" for number in numbers)


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
    Work.PUBLISH_PARKED: ("SPF041", "DMARC060", *_rules("ZONE", 14, 15, 16, 17, 20, 22)),
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

_REPAIRS: Final = frozenset({Stage.REPAIR, Stage.MONITOR})
_VENDORS: Final = frozenset({Actor.DNS, Actor.MAIL, Actor.WEB})


@dataclass(frozen=True, slots=True)
class Task:
    """One task. ``after`` are the numbers of tasks that come first; ``findings`` are places in the document's list.

    ``fixes`` are the document's, each once. ``minutes`` are minutes of work, not of waiting.
    """

    number: int
    work: Work
    actor: Actor
    stage: Stage
    minutes: tuple[int, int]
    due: date
    after: tuple[int, ...] = ()
    findings: tuple[int, ...] = ()
    fixes: tuple[Document, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """All tasks, in the order of the work."""

    tasks: tuple[Task, ...]

    def of(self, actor: Actor) -> tuple[Task, ...]:
        """One actor's tasks."""
        return tuple(task for task in self.tasks if task.actor is actor)

    def task_of(self, finding: int) -> Task:
        """The task in which a finding lies. Raises StopIteration for a number that is none."""
        return next(task for task in self.tasks if finding in task.findings)

    def has(self, *works: Work) -> bool:
        """Whether there is a task of one of the kinds."""
        return any(task.work in works for task in self.tasks)

    def minutes(self, *actors: Actor) -> tuple[int, int]:
        """Minutes of work until all but the yearly watching is done, least and most."""
        counted = [task.minutes for task in self.tasks if task.actor in actors and task.stage is not Stage.WATCH]
        return sum(least for least, _ in counted), sum(most for _, most in counted)

    @property
    def actors(self) -> tuple[Actor, ...]:
        """Who has something to do, in the order of ``Actor``."""
        return tuple(actor for actor in Actor if self.of(actor))

    @property
    def is_only_watching(self) -> bool:
        """Nothing is to be done but to keep looking."""
        return all(task.stage in (Stage.WATCH, Stage.LATER) for task in self.tasks)


def make_plan(document: Document, start: date, first_due: date) -> Plan:
    """The tasks of an audit. ``start`` is the day of the guide, ``first_due`` that of the first work. Never raises."""
    drafts = _drafts(document)
    for rule in _COMPANIONS:
        rule(drafts, document)
    ordered = sorted(drafts.values(), key=lambda draft: (_STAGES.index(draft.stage), _WORKS.index(draft.work)))
    numbers = {draft.work: number for number, draft in enumerate(ordered, 1)}
    dues = _dues(ordered, document, start, first_due)
    return Plan(tuple(_task(draft, numbers, dues[draft.work]) for draft in ordered))


@dataclass(slots=True)
class _Draft:
    """A task while the plan is being made."""

    work: Work
    stage: Stage
    findings: list[int] = field(default_factory=list)
    fixes: list[Document] = field(default_factory=list)
    after: set[Work] = field(default_factory=set)

    @property
    def kind(self) -> _Kind:
        return _KINDS[self.work]

    @property
    def is_plain(self) -> bool:
        """Every finding has a fix that may be pasted as it is."""
        return bool(self.fixes) and all(fix["readiness"] == "paste-as-is" for fix in self.fixes)


_Drafts = dict[Work, _Draft]


def _add(drafts: _Drafts, work: Work) -> _Draft:
    return drafts.setdefault(work, _Draft(work, _KINDS[work].stage))


def _drafts(document: Document) -> _Drafts:
    """Each finding, and each fix, in its task."""
    drafts: _Drafts = {}
    findings: Sequence[Document] = document["findings"]
    fixes: list[tuple[Document, Work]] = []
    for index, finding in enumerate(findings):
        work = _work_of(finding, findings)
        draft = _add(drafts, work)
        draft.findings.append(index)
        fix = finding["fix"]
        if fix is not None and all(known != fix for known, _ in fixes):
            fixes.append((fix, work))
    for fix, work in fixes:
        drafts[work].fixes.append(fix)
    for draft in drafts.values():
        grave = any(findings[index]["severity"] not in ("low", "info") for index in draft.findings)
        if draft.stage in _REPAIRS and not grave and draft.work is not Work.START_DMARC:
            draft.stage = Stage.LATER
    return drafts


def _work_of(finding: Document, findings: Sequence[Document]) -> Work:
    if is_waived(finding):
        return Work.REVIEW_WAIVERS
    # Nobody in the house can publish anything in a provider's domain.
    if any(one["rule"] == "ADDR001" for one in findings):
        return Work.OWN_DOMAIN
    # A domain that is to be declared unused gets one set of records, which leaves nothing else to correct.
    if _is_unused(findings) and _usual_work(finding) not in _EVEN_IF_UNUSED:
        return Work.PUBLISH_PARKED
    if finding["fix"] is None:
        return _usual_work(finding)
    lead = next(one for one in findings if one["fix"] == finding["fix"] and not is_waived(one))
    reasons = finding["fix"]["reasons"]
    if "record-of-others" in reasons:
        return Work.ASK_PARENT
    if "assumes-no-mail" in reasons:
        return Work.PUBLISH_PARKED
    if "tightens-policy" in reasons:
        return Work.TIGHTEN
    work = _usual_work(lead)
    return Work.REPAIR_DMARC if work is Work.TIGHTEN else work


def _is_unused(findings: Sequence[Document]) -> bool:
    return any(one["rule"] in ("ZONE014", "ZONE015") and not is_waived(one) for one in findings)


_EVEN_IF_UNUSED: Final = frozenset({Work.ASK_PARENT, Work.CHECK_PROGRAMMES, Work.OWN_DOMAIN, Work.KEEP_IN_MIND})


def _usual_work(finding: Document) -> Work:
    rule = finding["rule"]
    work = _WORK_OF_RULE.get(rule) or _WORK_OF_FAMILY.get(rule.rstrip("0123456789"), Work.KEEP_IN_MIND)
    is_remark = finding["severity"] == "info" and finding["fix"] is None and work not in _QUESTIONS
    return Work.KEEP_IN_MIND if is_remark else work


def _look_again(drafts: _Drafts, document: Document) -> None:
    """Where nobody answered. What was not asked for its number would not be asked tomorrow either."""
    if is_undecided(document) or any(row["status"] != "not-asked" for row in document["unanswered"]):
        _add(drafts, Work.AUDIT_AGAIN)


def _before_spf(drafts: _Drafts, document: Document) -> None:
    spf = drafts.get(Work.PUBLISH_SPF)
    if spf is None or spf.stage is Stage.LATER or _is_pasted_whole(spf, document):
        return
    for work in (Work.LIST_SENDERS, Work.NAME_WEB_MAIL, Work.TELL_SPF):
        _add(drafts, work)
        spf.after.add(work)


def _is_pasted_whole(draft: _Draft, document: Document) -> bool:
    return draft.is_plain and all(document["findings"][index]["fix"] for index in draft.findings)


def _before_keys(drafts: _Drafts, document: Document) -> None:
    make, correct = drafts.get(Work.MAKE_KEY), drafts.get(Work.CORRECT_KEY)
    if make is not None:
        publish = _add(drafts, Work.PUBLISH_KEY)
        publish.stage = make.stage
        publish.after.add(Work.MAKE_KEY)
    if correct is not None:
        confirm = _add(drafts, Work.CONFIRM_KEY)
        confirm.stage = correct.stage
        correct.after.add(Work.CONFIRM_KEY)


def _before_mx(drafts: _Drafts, document: Document) -> None:
    mx = drafts.get(Work.CORRECT_MX)
    if mx is not None:
        _add(drafts, Work.TELL_MX).stage = mx.stage
        mx.after.add(Work.TELL_MX)


def _before_parking(drafts: _Drafts, document: Document) -> None:
    parked = drafts.get(Work.PUBLISH_PARKED)
    if parked is not None and not parked.is_plain:
        _add(drafts, Work.CONFIRM_UNUSED)
        parked.after.add(Work.CONFIRM_UNUSED)


def _before_reports(drafts: _Drafts, document: Document) -> None:
    asks = any(one["kind"] == "rua" and one["status"] != "refused" for one in document["dmarc"]["destinations"])
    if Work.TIGHTEN in drafts and Work.REPAIR_DMARC not in drafts and not asks:
        _add(drafts, Work.START_DMARC)
    for draft in [drafts[work] for work in (Work.START_DMARC, Work.REPAIR_DMARC) if work in drafts]:
        if any("report-address" in fix["reasons"] for fix in draft.fixes) or _starts_blindly(draft):
            _add(drafts, Work.MAKE_MAILBOX)
            draft.after.add(Work.MAKE_MAILBOX)


def _starts_blindly(draft: _Draft) -> bool:
    return draft.work is Work.START_DMARC and not draft.fixes


def _before_tightening(drafts: _Drafts, document: Document) -> None:
    """Nothing is asked of receivers before its effect was seen in reports."""
    if Work.START_DMARC in drafts or Work.TIGHTEN in drafts:
        # A month of reports that was over before SPF and DKIM were right says nothing about the mail after that.
        after = _works_in(drafts, Stage.REPAIR, Stage.MONITOR)
        _add(drafts, Work.READ_REPORTS).after |= after
    tighten = drafts.get(Work.TIGHTEN)
    if tighten is not None:
        _add(drafts, Work.LIST_SENDERS)
        tighten.after |= _works_in(drafts, Stage.CHECK, Stage.FIND, Stage.REPAIR, Stage.MONITOR, Stage.OBSERVE)


def _works_in(drafts: _Drafts, *stages: Stage) -> set[Work]:
    return {work for work, draft in drafts.items() if draft.stage in stages}


def _before_vendors(drafts: _Drafts, document: Document) -> None:
    asked = [draft for draft in drafts.values() if draft.kind.actor in _VENDORS and draft.stage is not Stage.LATER]
    if asked:
        _add(drafts, Work.SEND_REQUESTS)
    for draft in asked:
        draft.after.add(Work.SEND_REQUESTS)


def _without_detours(drafts: _Drafts, document: Document) -> None:
    """Of what comes first only the last: what that waits for goes without saying."""
    for draft in drafts.values():
        for work in tuple(draft.after):
            draft.after -= _behind(drafts, work)


def _behind(drafts: _Drafts, work: Work) -> set[Work]:
    """All that ``work`` waits for."""
    direct = drafts[work].after
    return direct.union(*(_behind(drafts, before) for before in direct))


def _at_last(drafts: _Drafts, document: Document) -> None:
    unused = Work.PUBLISH_PARKED in drafts or document["parked"]["status"] in ("perfect", "imperfect")
    _add(drafts, Work.KEEP_UNUSED if unused else Work.KEEP_WATCHING)


_COMPANIONS: Final[tuple[Callable[[_Drafts, Document], None], ...]] = (
    *(_look_again, _before_spf, _before_keys, _before_mx, _before_parking),
    *(_before_reports, _before_tightening, _before_vendors, _without_detours, _at_last),
)


def _dues(ordered: Iterable[_Draft], document: Document, start: date, first_due: date) -> dict[Work, date]:
    """The first work until ``first_due``, what follows some days after what it waits for."""
    dues: dict[Work, date] = {}
    for draft in ordered:  # what a task waits for stands before it
        dues[draft.work] = _due(draft, dues, document, start, first_due)
    return dues


def _due(draft: _Draft, dues: Mapping[Work, date], document: Document, start: date, first_due: date) -> date:
    if draft.work is Work.SEND_REQUESTS:
        return min(first_due, max(start, first_due - _NEVER_DUE_LATE))
    if draft.work is Work.AUDIT_AGAIN:
        return min(first_due, start + timedelta(days=draft.kind.days))
    if draft.work is Work.REVIEW_WAIVERS:
        return min(_waived_until(draft, document), default=first_due)
    if draft.stage is Stage.LATER:
        return first_due + _LATER
    if draft.stage is Stage.WATCH:
        return first_due + _YEAR
    earliest = [dues[work] + timedelta(days=draft.kind.days) for work in draft.after if work in dues]
    return max([first_due, *earliest])


def _waived_until(draft: _Draft, document: Document) -> Iterator[date]:
    for index in draft.findings:
        yield date.fromisoformat(document["findings"][index]["waived"]["until"])


def _task(draft: _Draft, numbers: Mapping[Work, int], due: date) -> Task:
    kind = draft.kind
    return Task(
        number=numbers[draft.work],
        work=draft.work,
        actor=kind.actor,
        stage=draft.stage,
        minutes=kind.minutes,
        due=due,
        after=tuple(sorted(numbers[work] for work in draft.after if work in numbers)),
        findings=tuple(draft.findings),
        fixes=tuple(draft.fixes),
    )
