"""From findings to tasks: who does what, in which order, until when. In no language.

The order is that of a careful roll-out: look again where nobody answered, find out who sends, put SPF and DKIM right,
watch with reports, and only then ask receivers to be stricter. Every finding lies in exactly one task, and every fix
too. A task may have neither: it is there because another one needs it first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from mailguard.dmarc.record import Policy, parse_record
from mailguard.dossier import MailingLists
from mailguard.guidebook.actors import Actor
from mailguard.guidebook.works import KINDS, Kind, Stage, Work, fix_key, works_of
from mailguard.render.reading import is_undecided

__all__ = ["Plan", "Stage", "Task", "Work", "make_plan"]

Document = dict[str, Any]

_STAGES: Final = tuple(Stage)
_WORKS: Final = tuple(Work)
_REQUESTS_AHEAD: Final = timedelta(days=14)  # requests go out so long before the first work is due
_LATER: Final = timedelta(days=180)
_YEAR: Final = timedelta(days=365)
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
    def kind(self) -> Kind:
        return KINDS[self.work]

    @property
    def is_plain(self) -> bool:
        """Every finding has a fix that may be pasted as it is."""
        return bool(self.fixes) and all(fix["readiness"] == "paste-as-is" for fix in self.fixes)


_Drafts = dict[Work, _Draft]


def _add(drafts: _Drafts, work: Work) -> _Draft:
    return drafts.setdefault(work, _Draft(work, KINDS[work].stage))


def _drafts(document: Document) -> _Drafts:
    """Each finding, and each fix, in its task."""
    drafts: _Drafts = {}
    findings: Sequence[Document] = document["findings"]
    known: set[str] = set()
    for index, (finding, work) in enumerate(zip(findings, works_of(document), strict=True)):
        draft = _add(drafts, work)
        draft.findings.append(index)
        fix = finding["fix"]
        if fix is not None and fix_key(fix) not in known:
            known.add(fix_key(fix))
            draft.fixes.append(fix)
    for draft in drafts.values():
        grave = any(findings[index]["severity"] not in ("low", "info") for index in draft.findings)
        if draft.stage in _REPAIRS and not grave and draft.work is not Work.START_DMARC:
            draft.stage = Stage.LATER
    return drafts


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


def _before_zone(drafts: _Drafts, document: Document) -> None:
    """A record that lets everybody send is replaced by one that lists the senders: the company cannot know them."""
    zone = drafts.get(Work.CORRECT_ZONE)
    if zone is not None and any(document["findings"][index]["rule"] == "SPF046" for index in zone.findings):
        _add(drafts, Work.LIST_SENDERS)
        zone.after.add(Work.LIST_SENDERS)


def _before_parking(drafts: _Drafts, document: Document) -> None:
    parked = drafts.get(Work.PUBLISH_PARKED)
    if parked is not None and not parked.is_plain:
        _add(drafts, Work.CONFIRM_UNUSED)
        parked.after.add(Work.CONFIRM_UNUSED)


def _before_reports(drafts: _Drafts, document: Document) -> None:
    asks = any(one["kind"] == "rua" and one["status"] != "refused" for one in document["dmarc"]["destinations"])
    if Work.TIGHTEN in drafts and Work.REPAIR_DMARC not in drafts and not asks:
        _add(drafts, Work.START_DMARC)
    for draft in [drafts[work] for work in _ASKING if work in drafts]:
        if any("report-address" in fix["reasons"] for fix in draft.fixes) or _asks_blindly(draft, document):
            mailbox = _add(drafts, Work.MAKE_MAILBOX)
            draft.after.add(Work.MAKE_MAILBOX)
            if draft.work is Work.PUBLISH_PARKED:  # which stands before the stage of reports
                mailbox.stage = Stage.FIND


_ASKING: Final = (Work.PUBLISH_PARKED, Work.START_DMARC, Work.REPAIR_DMARC)
_WITHOUT_REPORTS: Final = frozenset({"DMARC019", "DMARC041"})


def _asks_blindly(draft: _Draft, document: Document) -> bool:
    """Whether reports are to be asked for, and no record could be proposed: the address is still to be chosen."""
    if draft.work is Work.PUBLISH_PARKED:
        return False
    asked = any(document["findings"][index]["rule"] in _WITHOUT_REPORTS for index in draft.findings)
    return not draft.fixes and (draft.work is Work.START_DMARC or asked)


def _before_tightening(drafts: _Drafts, document: Document) -> None:
    """Nothing is asked of receivers before its effect was seen in reports."""
    watches = _policy_after(drafts, document, Work.REPAIR_DMARC) is Policy.NONE
    if Work.START_DMARC in drafts or Work.TIGHTEN in drafts or watches:
        # A month of reports that was over before SPF and DKIM were right says nothing about the mail after that.
        after = _works_in(drafts, Stage.REPAIR, Stage.MONITOR)
        _add(drafts, Work.READ_REPORTS).after |= after
    tighten = drafts.get(Work.TIGHTEN)
    if tighten is not None:
        _add(drafts, Work.LIST_SENDERS)
        if Work.ASK_PARENT in drafts:  # whose record it is has to be known before it can be asked to be stricter
            drafts[Work.ASK_PARENT].stage = KINDS[Work.ASK_PARENT].stage
        tighten.after |= _works_in(drafts, Stage.CHECK, Stage.FIND, Stage.REPAIR, Stage.MONITOR, Stage.OBSERVE)


def _policy_after(drafts: _Drafts, document: Document, *works: Work) -> Policy | None:
    """The strictest policy for the domain itself that the fixes of these works ask for; None where they name none."""
    fixes = [fix for work in works if work in drafts for fix in drafts[work].fixes]
    records = [parse_record(text) for fix in fixes for record in fix["records"] for text in record["after"]]
    return max((one.p for one in records if one and one.p), key=lambda policy: policy.rank, default=None)


def _after_reports(drafts: _Drafts, document: Document) -> None:
    """Watching is no end: look again, then quarantine, another month of reports, and reject (RFC 9989 section 7.4).

    Where people post to mailing lists the way ends at quarantine, for their mail would be refused.
    """
    if Work.READ_REPORTS not in drafts:
        return
    _add(drafts, Work.AUDIT_ANEW).after.add(Work.READ_REPORTS)
    last = Work.AUDIT_ANEW
    if Work.TIGHTEN in drafts:
        drafts[Work.TIGHTEN].after.add(last)
        last = Work.TIGHTEN
    for work in _steps(drafts, document):
        _add(drafts, work).after.add(last)
        last = work


def _steps(drafts: _Drafts, document: Document) -> Iterator[Work]:
    """What is still to come once the fixes are in place, a month of reports between two steps."""
    now = document["dmarc"]["effective_policy"]["domain"]
    asked = _policy_after(drafts, document, Work.START_DMARC, Work.REPAIR_DMARC, Work.TIGHTEN)
    reached = {now, asked}
    if Policy.REJECT in reached:
        return
    tightens = Work.TIGHTEN in drafts
    if not tightens and Policy.QUARANTINE not in reached:
        yield Work.QUARANTINE
        tightens = True
    if document["expectation"]["mailing_lists"] != MailingLists.YES:
        yield from (Work.READ_ON, Work.REJECT) if tightens else (Work.REJECT,)


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
    parked = document["parked"]["status"] in ("perfect", "imperfect")
    unused = parked or (Work.PUBLISH_PARKED in drafts and document["mx"]["status"] != "hosts")
    _add(drafts, Work.KEEP_UNUSED if unused else Work.KEEP_WATCHING)


_COMPANIONS: Final[tuple[Callable[[_Drafts, Document], None], ...]] = (
    *(_look_again, _before_spf, _before_keys, _before_mx, _before_zone, _before_parking),
    *(_before_reports, _before_tightening, _before_vendors, _after_reports, _without_detours, _at_last),
)


def _dues(ordered: Iterable[_Draft], document: Document, start: date, first_due: date) -> dict[Work, date]:
    """The first work until ``first_due``, what follows some days after what it waits for."""
    dues: dict[Work, date] = {}
    for draft in ordered:  # what a task waits for stands before it
        dues[draft.work] = _due(draft, dues, document, start, first_due)
    return dues


def _due(draft: _Draft, dues: Mapping[Work, date], document: Document, start: date, first_due: date) -> date:
    if draft.work is Work.SEND_REQUESTS:
        return min(first_due, max(start, first_due - _REQUESTS_AHEAD))
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
