"""The whole include and redirect tree of a record: what each branch costs and where it leads, even past the limits.

Two halves. :func:`collect` asks, level by level: all that the records of one level name is asked at once, so a tree
takes as many rounds as it is deep. :func:`assemble` is pure: it builds the tree out of the answers, so that a changed
record can be laid over the same evidence.

A name's record is read once however often it is included; a name that includes one of its own ancestors ends in a
branch with the status LOOP. So time and memory stay linear in the number of questions, and that is bounded: at most
``MAX_QUESTIONS`` for one tree, none for addresses after ``MAX_ADDRESS_QUESTIONS``, and ``MAX_LEVELS`` rounds. What was
not asked for these reasons has the status NOT_ASKED, and ``Tree.truncated`` says so; costs are then lower bounds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from mailguard.inquiry import Answer, Inquiry, Question, RRType, ask_all, not_asked
from mailguard.names import ROOT, DomainName
from mailguard.spf.limits import MAX_MX_HOSTS, lookup_cost
from mailguard.spf.macro import MacroString, expand, target_name
from mailguard.spf.record import Record, parse_record, select_records
from mailguard.spf.terms import Broken, Directive, Kind, Modifier

MAX_QUESTIONS: Final = 46
"""Questions for one tree, the record at its root not counted. A whole audit may ask a hundred."""

MAX_ADDRESS_QUESTIONS: Final = 36
"""Past this many questions only records are asked for: they decide whether SPF works at all."""

MAX_LEVELS: Final = 20
"""Rounds of questions. A chain of includes may have ten before every receiver gives up."""

MAX_MENDED: Final = 3
"""So many records that cannot be used as they are, are asked about for what a corrected one would need."""

Answers = Mapping[Question, Answer]


class BranchStatus(StrEnum):
    """What a term leads to."""

    OK = "ok"  # nothing to ask, or asked and there
    EMPTY = "empty"  # a, mx, exists: no addresses; include, redirect: the name exists but has no SPF record
    NXDOMAIN = "nxdomain"  # the name does not exist
    MULTIPLE = "multiple"  # more than one SPF record at the target
    SYNTAX = "syntax"  # the target's record cannot be read
    TOO_MANY_HOSTS = "too-many-hosts"  # mx with more than ten hosts
    LOOP = "loop"  # the target is already being evaluated
    UNUSABLE_NAME = "unusable-name"  # an empty label, or one over 63 octets
    DYNAMIC = "dynamic"  # the name depends on the message
    UNANSWERED = "unanswered"
    NOT_ASKED = "not-asked"  # the tree was too large to ask everything

    @property
    def breaks(self) -> bool:
        """Whether an include or redirect with this status is permerror for every client that reaches it."""
        return self in _BREAKING

    @property
    def is_known(self) -> bool:
        """Whether it was seen what the term leads to."""
        return self not in (BranchStatus.DYNAMIC, BranchStatus.UNANSWERED, BranchStatus.NOT_ASKED)


_BREAKING: Final = (
    BranchStatus.EMPTY,
    BranchStatus.NXDOMAIN,
    BranchStatus.MULTIPLE,
    BranchStatus.SYNTAX,
    BranchStatus.LOOP,
    BranchStatus.UNUSABLE_NAME,
)


MAX_COUNTED: Final = 1_000_000
"""Counting stops here: in a hostile tree, where records include each other many times, numbers have no end."""


@dataclass(frozen=True, slots=True)
class Branch:
    """One term of a usable record, and all that lies below it.

    ``lookups`` is what evaluating it to the end costs, of the ten (RFC 7208 section 4.6.4). ``void4`` and ``void6``
    count its void look-ups for a client with an IPv4 and with an IPv6 address.
    """

    domain: DomainName  # whose record the term stands in
    term: Directive | Modifier
    status: BranchStatus
    target: DomainName | None = None  # None: it names nothing, or the name is dynamic
    answers: tuple[Answer, ...] = ()  # addresses (a, exists), or MX and then the addresses of its hosts
    below: Published | None = None  # include and redirect
    lookups: int = 0
    void4: int = 0
    void6: int = 0

    @property
    def complete(self) -> bool:
        """Whether all below was seen, so that the numbers are exact and not lower bounds."""
        return self.status.is_known and (self.below is None or self.below.complete)

    def is_void(self, version: int) -> bool:
        """Whether the term itself is a void look-up for clients of this IP version."""
        return bool(self.void4 if version == 4 else self.void6) and self.below is None

    def addresses(self, version: int) -> Iterator[str]:
        """The addresses that an a or mx term stands for."""
        wanted = RRType.A if version == 4 else RRType.AAAA
        return (text for answer in self.answers if answer.question.rrtype is wanted for text in answer.addresses)


@dataclass(frozen=True, slots=True)
class Published:
    """The SPF record at a name, laid open as far as evaluation can reach: to the first ``all``, then the redirect."""

    domain: DomainName
    status: BranchStatus
    answer: Answer
    record: Record | None = None
    branches: tuple[Branch, ...] = ()
    lookups: int = 0  # terms that cause look-ups if every one is evaluated, includes and redirect followed
    void4: int = 0  # void look-ups for an IPv4 client, if every term is evaluated
    void6: int = 0  # the same for an IPv6 client
    complete: bool = True  # everything below was seen

    def walk(self) -> Iterator[Branch]:
        """Every branch of the tree in the order of evaluation, each record once however often it is included."""
        return self._walk(set())

    def _walk(self, seen: set[DomainName]) -> Iterator[Branch]:
        if self.domain in seen:
            return
        seen.add(self.domain)
        for branch in self.branches:
            yield branch
            if branch.below:
                yield from branch.below._walk(seen)


def static_target(target: MacroString | None, domain: DomainName, origin: DomainName) -> DomainName | None:
    """The name that a domain-spec means in the record of ``domain`` when mail comes from ``origin``.

    ``None`` if it depends on the message: macros other than ``%{d}`` and ``%{o}``.
    """
    if target is None:
        return domain
    if target.letters - {"d", "o"}:
        return None
    return target_name(expand(target, {"d": domain, "o": origin}))


def _live_terms(record: Record) -> tuple[Directive | Modifier, ...]:
    """The terms that evaluation can reach, in its order."""
    return (*record.live, record.redirect) if record.redirect else record.live


def read_published(answer: Answer) -> tuple[BranchStatus, Record | None]:
    """What a receiver makes of a TXT answer (sections 4.4-4.6): a status, and the record where there is just one."""
    if answer.unanswered:
        return (BranchStatus.NOT_ASKED if answer.note == "budget" else BranchStatus.UNANSWERED), None
    chosen = select_records(answer.txts)
    if not chosen:
        return (BranchStatus.NXDOMAIN if answer.denies_name else BranchStatus.EMPTY), None
    if len(chosen) > 1:
        return BranchStatus.MULTIPLE, None
    record = parse_record(chosen[0].joined)
    return (BranchStatus.SYNTAX if record.faults else BranchStatus.OK), record


def questions_of(term: Directive | Modifier, domain: DomainName, origin: DomainName) -> tuple[Question, ...]:
    """What has to be asked first for a term that is not dynamic."""
    target_spec = term.value if isinstance(term, Modifier) else term.target
    kind = Kind.INCLUDE if isinstance(term, Modifier) else term.kind
    types = _TYPES.get(kind, ())
    target = static_target(target_spec, domain, origin) if types else None
    return tuple(Question(target, rrtype) for rrtype in types) if target and target.is_askable else ()


_TYPES: Final = {
    Kind.INCLUDE: (RRType.TXT,),
    Kind.A: (RRType.A, RRType.AAAA),
    Kind.MX: (RRType.MX,),
    Kind.EXISTS: (RRType.A,),  # section 5.7: A even when the client is IPv6
}


def collect(domain: DomainName, txt: Answer) -> Inquiry[dict[Question, Answer]]:
    """Ask all that the tree below the record in ``txt`` names, level by level, within the bounds above.

    Returns every answer, ``txt`` included. Never asks the same question twice.
    """
    answers: dict[Question, Answer] = {txt.question: txt}
    fresh: list[Answer] = [txt]
    for _ in range(MAX_LEVELS):
        wanted = dict.fromkeys(question for answer in fresh for question in _next_questions(answer, domain))
        if fresh[0] is txt and (explanation := explanation_question(txt, domain)):
            wanted[explanation] = None
        chosen = _affordable((question for question in wanted if question not in answers), len(answers) - 1)
        if not chosen:
            break
        fresh = list((yield from ask_all(chosen)))
        answers.update((answer.question, answer) for answer in fresh)
    return answers


def explanation_question(txt: Answer, domain: DomainName) -> Question | None:
    """Where the record in ``txt`` keeps its explanation; ``None`` without exp, or if it depends on the message."""
    _, record = read_published(txt)
    exp = record.modifier("exp") if record else None
    target = static_target(exp.value, domain, domain) if exp else None
    return Question(target, RRType.TXT) if target and target.is_askable else None


def _next_questions(answer: Answer, origin: DomainName) -> Iterator[Question]:
    """What an answer makes worth asking: for a record its terms, for an MX set its hosts."""
    if answer.question.rrtype is RRType.MX:
        exchanges = {mx.exchange for mx in answer.exchanges if mx.exchange != ROOT and mx.exchange.is_askable}
        if len(answer.exchanges) <= MAX_MX_HOSTS:
            for exchange in sorted(exchanges):
                yield Question(exchange, RRType.A)
                yield Question(exchange, RRType.AAAA)
        return
    if answer.question.rrtype is not RRType.TXT:
        return
    status, record = read_published(answer)
    if status is BranchStatus.OK and record:
        for term in _live_terms(record):
            yield from questions_of(term, answer.question.name, origin)
    elif answer.question.name == origin:
        # No receiver looks further, but a corrected record would name the same, and has to be proved.
        records = [parse_record(txt.joined) for txt in select_records(answer.txts)[:MAX_MENDED]]
        for readable in (item for each in records for item in each.terms if not isinstance(item, Broken)):
            yield from questions_of(readable, origin, origin)


def _affordable(wanted: Iterable[Question], spent: int) -> tuple[Question, ...]:
    """The questions that the bounds still allow: those for records first."""
    wanted = sorted(wanted, key=lambda question: question.rrtype is not RRType.TXT)
    chosen: list[Question] = []
    for question in wanted:
        limit = MAX_QUESTIONS if question.rrtype is RRType.TXT else MAX_ADDRESS_QUESTIONS
        if spent + len(chosen) < limit:
            chosen.append(question)
    return tuple(chosen)


def assemble(domain: DomainName, answers: Answers) -> Published:
    """Build the tree below ``domain`` from answers. Pure, never raises; a question without answer is NOT_ASKED."""
    return _Assembly(domain, answers).publish(domain, ())


class _Assembly:
    """One tree being built; records are built once and shared."""

    def __init__(self, origin: DomainName, answers: Answers) -> None:
        self._origin = origin
        self._answers = answers
        self._built: dict[DomainName, Published] = {}

    def _answer(self, question: Question) -> Answer:
        return self._answers.get(question) or not_asked(question, "budget")

    def publish(self, domain: DomainName, path: tuple[DomainName, ...]) -> Published:
        if domain not in self._built:
            answer = self._answer(Question(domain, RRType.TXT))
            status, record = read_published(answer)
            terms = _live_terms(record) if record and status is BranchStatus.OK else ()
            inside = (*path, domain)
            branches = tuple(self._branch(term, domain, inside) for term in terms)
            self._built[domain] = _published(domain, status, answer, record, branches)
        return self._built[domain]

    def _branch(self, term: Directive | Modifier, domain: DomainName, path: tuple[DomainName, ...]) -> Branch:
        cost = lookup_cost(term)
        if not cost:
            return Branch(domain, term, BranchStatus.OK)
        if isinstance(term, Directive) and term.kind is Kind.PTR:
            return Branch(domain, term, BranchStatus.DYNAMIC, lookups=cost)
        target = static_target(term.value if isinstance(term, Modifier) else term.target, domain, self._origin)
        if target is None:
            return Branch(domain, term, BranchStatus.DYNAMIC, lookups=cost)
        leads_on = isinstance(term, Modifier) or term.kind is Kind.INCLUDE
        # Section 4.3 holds for every check_host: a single label is no domain to check.
        if not target.is_askable or (leads_on and len(target.labels) < 2):
            return Branch(domain, term, BranchStatus.UNUSABLE_NAME, target, lookups=cost)
        if leads_on:
            return self._below(term, domain, target, path)
        assert isinstance(term, Directive)
        return self._asked(term, domain, target)

    def _below(
        self,
        term: Directive | Modifier,
        domain: DomainName,
        target: DomainName,
        path: tuple[DomainName, ...],
    ) -> Branch:
        if target in path:
            return Branch(domain, term, BranchStatus.LOOP, target, lookups=lookup_cost(term))
        below = self.publish(target, path)
        cost = lookup_cost(term) + below.lookups
        return Branch(domain, term, below.status, target, (), below, cost, below.void4, below.void6)

    def _asked(self, term: Directive, domain: DomainName, target: DomainName) -> Branch:
        answers = tuple(self._answer(question) for question in questions_of(term, domain, self._origin))
        if term.kind is Kind.MX and answers[0].present:
            answers = (*answers, *map(self._answer, _next_questions(answers[0], self._origin)))
        status = _asked_status(term.kind, answers)
        void4, void6 = (_is_void(term.kind, answers, version) for version in (4, 6))
        return Branch(domain, term, status, target, answers, None, lookup_cost(term), void4, void6)


def _published(
    domain: DomainName,
    status: BranchStatus,
    answer: Answer,
    record: Record | None,
    branches: tuple[Branch, ...],
) -> Published:
    """A record with its sums; they are kept, since a record may be below many others."""
    return Published(
        domain,
        status,
        answer,
        record,
        branches,
        lookups=min(sum(branch.lookups for branch in branches), MAX_COUNTED),
        void4=min(sum(branch.void4 for branch in branches), MAX_COUNTED),
        void6=min(sum(branch.void6 for branch in branches), MAX_COUNTED),
        complete=status.is_known and all(branch.complete for branch in branches),
    )


def _asked_status(kind: Kind, answers: tuple[Answer, ...]) -> BranchStatus:
    if kind is Kind.MX and len(answers[0].exchanges) > MAX_MX_HOSTS:
        return BranchStatus.TOO_MANY_HOSTS
    missing = [answer for answer in answers if answer.unanswered]
    if missing:
        skipped = all(answer.note == "budget" for answer in missing)
        return BranchStatus.NOT_ASKED if skipped else BranchStatus.UNANSWERED
    if any(answer.addresses for answer in answers):
        return BranchStatus.OK
    return BranchStatus.NXDOMAIN if answers[0].denies_name else BranchStatus.EMPTY


def _is_void(kind: Kind, answers: tuple[Answer, ...], version: int) -> bool:
    """Whether everything that a client of this version makes a receiver ask came back empty."""
    if kind is Kind.EXISTS:
        return answers[0].absent
    if kind is Kind.MX and answers[0].absent:
        return True
    wanted = RRType.A if version == 4 else RRType.AAAA
    asked = [answer for answer in answers if answer.question.rrtype is wanted]
    return bool(asked) and all(answer.absent for answer in asked)
