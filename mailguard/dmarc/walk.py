"""The DNS Tree Walk and the organizational domain (RFC 9989 sections 4.10 and 4.10.2).

A receiver walks one question at a time and stops at the first ``psd=y`` or ``psd=n``. We ask all names of the walk at
once, since an audit waits for the longest chain of questions, and then read the answers in the order of the walk: what
lies behind the stop has no influence, not even by being unanswered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from mailguard.dmarc.record import Psd, Record, is_dmarc_record, parse_record, text_of
from mailguard.inquiry import Answer, Inquiry, Question, RRType, ask_all
from mailguard.names import DomainName

MAX_QUESTIONS: Final = 8
"""Names that one walk may ask for (section 4.10)."""


def record_question(domain: DomainName) -> Question:
    """The question for the DMARC record of ``domain`` (section 4.5)."""
    return Question(domain.child("_dmarc"), RRType.TXT)


@dataclass(frozen=True, slots=True)
class Node:
    """What stands at ``_dmarc.<domain>``: the DMARC records and the other texts."""

    domain: DomainName
    answer: Answer
    records: tuple[str, ...]
    others: tuple[str, ...]
    record: Record | None  # the record, if there is exactly one

    @property
    def unanswered(self) -> bool:
        """Whether it could not be found out what stands here."""
        return self.answer.unanswered

    @property
    def question(self) -> Question:
        """The question that was asked."""
        return self.answer.question


def read_node(domain: DomainName, answer: Answer) -> Node:
    """Sort the TXT records of one answer into DMARC records and others, in an order that does not depend on DNS's."""
    texts = sorted(text_of(octets) for octets in answer.texts)
    records = tuple(text for text in texts if is_dmarc_record(text))
    others = tuple(text for text in texts if not is_dmarc_record(text))
    # 4.10 steps 2 and 6: of several records all are discarded.
    record = parse_record(records[0]) if len(records) == 1 else None
    return Node(domain, answer, records, others, record)


def walk_names(start: DomainName) -> tuple[DomainName, ...]:
    """The names whose ``_dmarc`` a walk asks for, in order: at most 8, the last a single label."""
    labels = start.labels
    if not labels:
        return ()
    # 4.10 step 3: with fewer than 8 labels go on with the parent, else with the rightmost 7 labels.
    first = 1 if len(labels) < MAX_QUESTIONS else len(labels) - (MAX_QUESTIONS - 1)
    return (start, *(DomainName(".".join(labels[at:])) for at in range(first, len(labels))))


@dataclass(frozen=True, slots=True)
class Walk:
    """The names of a walk up to its stop, and what stood there."""

    start: DomainName
    nodes: tuple[Node, ...]

    @property
    def unanswered(self) -> bool:
        """Whether a name on the way could not be answered: then any outcome of the walk is unknown."""
        return any(node.unanswered for node in self.nodes)

    @property
    def found(self) -> tuple[tuple[DomainName, Record], ...]:
        """Names with exactly one record, longest first."""
        return tuple((node.domain, node.record) for node in self.nodes if node.record)

    @property
    def suffix(self) -> tuple[DomainName, Record] | None:
        """The public suffix domain above the start that says so itself (psd=y)."""
        # 4.10.2: a name other than the start; the start may say psd=y of itself.
        return next(((at, record) for at, record in self.found if record.psd is Psd.YES and at != self.start), None)

    @property
    def organizational_domain(self) -> DomainName | None:
        """The organizational domain of the start (section 4.10.2); ``None`` where an answer on the way is missing."""
        if self.unanswered:
            return None
        found = self.found
        for at, record in found:
            if record.psd is Psd.NO:
                return at
        if self.suffix:
            return _one_below(self.suffix[0], self.start)
        # The walk goes upwards, so the last name found has the fewest labels.
        return found[-1][0] if found else self.start


def _one_below(suffix: DomainName, start: DomainName) -> DomainName:
    # The labels between may have been skipped by the walk: counted on the start, not on what was found.
    return DomainName(".".join(start.labels[-(len(suffix.labels) + 1) :]))


def read_walk(start: DomainName, nodes: Mapping[DomainName, Node]) -> Walk:
    """The walk from ``start`` over answers that are at hand.

    A name without an answer is passed over as if nothing stood there, so that one can ask what *would* hold for a
    subdomain that has no record of its own.
    """
    path = []
    for at in walk_names(start):
        node = nodes.get(at)
        if node is None:
            continue
        path.append(node)
        if node.record and node.record.psd is not Psd.UNKNOWN:
            break
    return Walk(start, tuple(path))


def take_nodes(domains: Iterable[DomainName]) -> Inquiry[dict[DomainName, Node]]:
    """Ask for the DMARC records of several domains at once, each once."""
    distinct = tuple(dict.fromkeys(domains))
    answers = yield from ask_all([record_question(domain) for domain in distinct])
    return {domain: read_node(domain, answer) for domain, answer in zip(distinct, answers, strict=True)}


def take_walk(start: DomainName) -> Inquiry[Walk]:
    """Walk the tree from ``start``: one round, at most 8 questions."""
    nodes = yield from take_nodes(walk_names(start))
    return read_walk(start, nodes)
