"""What SPF facts are visible for one domain."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from ipaddress import ip_address
from typing import Final

from mailguard.inquiry import Answer, Inquiry, Question, RRType, Status, Txt, ask_all, not_asked
from mailguard.names import DomainName
from mailguard.spf.check_host import check_host
from mailguard.spf.expansion import Branch, BranchStatus, Published, assemble, collect, explanation_question
from mailguard.spf.limits import MAX_LOOKUPS, MAX_VOID_LOOKUPS, limited
from mailguard.spf.reach import Reach, reach
from mailguard.spf.record import Record, is_spf, select_records
from mailguard.spf.terms import Kind, Modifier, Qualifier
from mailguard.spf.verdict import Mailbox, Result, SpfVerdict

WRONG_NAMES: Final = ("spf", "_spf")
"""Labels under which people publish the record by mistake; asked only where the domain itself has none."""

STRANGERS: Final = tuple(map(ip_address, ("203.0.113.77", "198.51.100.77", "192.0.2.77", "240.0.0.77")))
"""Addresses that nobody sends mail from (RFC 5737, RFC 1112)."""

MAX_SAMPLE_QUESTIONS: Final = 12
"""New questions for trying a stranger's address."""


class SpfStatus(StrEnum):
    """What a receiver makes of the domain's own record, before looking at any client."""

    VALID = "valid"  # one record that can be read; its tree may still be broken (``SpfSurvey.outcome``)
    NONE = "none"  # no SPF record
    PERMERROR = "permerror"  # several records, or one that cannot be read
    UNANSWERED = "unanswered"


class Strangers(StrEnum):
    """Whether a stranger's server gets a pass for a domain as MAIL FROM."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True)  # without slots, for cached properties
class SpfSurvey:
    """SPF facts of a domain.

    ``tree`` is the record laid open, with every answer that it rests on. ``sample`` is what check_host says about a
    stranger's address, tried only where the record has terms that depend on the message.
    """

    domain: DomainName
    txt: Answer
    type99: Answer
    wrong_names: tuple[Answer, ...]  # TXT at the names of WRONG_NAMES; empty where they were not asked
    tree: Published
    explanation: Answer | None = None  # TXT at the target of the record's exp, unless that depends on the message
    sample: SpfVerdict | None = None

    @property
    def status(self) -> SpfStatus:
        """valid, none, permerror or unanswered."""
        return _STATUSES[self.tree.status]

    @property
    def outcome(self) -> SpfStatus:
        """What the whole tree comes to, where ``status`` looks at the domain's own record alone.

        permerror if some client's check must end so: more than ten look-ups or two void ones, an include or redirect
        without one readable record, an mx with too many hosts. Else unanswered if something it names was not seen.
        """
        if self.status is not SpfStatus.VALID:
            return self.status
        over = self.tree.lookups > MAX_LOOKUPS or self.tree.void4 > MAX_VOID_LOOKUPS
        if over or any(map(_ends_check, self.tree.walk())):
            return SpfStatus.PERMERROR
        return SpfStatus.UNANSWERED if self.has_unseen else SpfStatus.VALID

    @property
    def candidates(self) -> tuple[Txt, ...]:
        """The TXT records at the domain that receivers take for SPF (RFC 7208 section 4.5)."""
        return select_records(self.txt.txts)

    @property
    def record(self) -> Record | None:
        """The one record there is, also if it cannot be read; ``None`` for none, several or unanswered."""
        return self.tree.record

    @property
    def text(self) -> str | None:
        """Its text as published."""
        return self.record.text if self.record else None

    @property
    def lookups(self) -> int | None:
        """Terms that cause look-ups, of ten, if every one is evaluated; ``None`` without a valid record.

        A lower bound where ``lookups_exact`` is false.
        """
        return self.tree.lookups if self.status is SpfStatus.VALID else None

    @property
    def lookups_exact(self) -> bool:
        """Whether the whole tree was seen."""
        return self.tree.complete

    @property
    def void_lookups(self) -> int | None:
        """Void look-ups, of two, for a client with an IPv4 address; ``None`` without a valid record."""
        return self.tree.void4 if self.status is SpfStatus.VALID else None

    @property
    def has_unseen(self) -> bool:
        """Whether something that the tree names was not answered, or not asked for."""
        unseen = (BranchStatus.UNANSWERED, BranchStatus.NOT_ASKED)
        return any(branch.status in unseen for branch in self.tree.walk())

    @property
    def truncated(self) -> bool:
        """Whether the tree was too large to ask all of it."""
        return any(branch.status is BranchStatus.NOT_ASKED for branch in self.tree.walk())

    @cached_property
    def all(self) -> Qualifier | None:
        """The qualifier of the ``all`` that evaluation ends in, redirects followed.

        ``None``: there is none (which means neutral), or it was not seen; see ``status`` and ``end``.
        """
        end = self.end
        found = end.record.all if end and end.record else None
        return found.qualifier if found else None

    @property
    def end(self) -> Published | None:
        """The record that evaluation ends in, redirects followed; ``None`` if one leads nowhere or was not seen."""
        at: Published | None = self.tree
        while at and at.record and at.record.redirect:
            at = at.branches[-1].below if at.branches else None  # none, where the record is broken
        return at if at and at.status is BranchStatus.OK else None

    @cached_property
    def reach4(self) -> Reach:
        """Who passes over IPv4."""
        return reach(self.tree, 4)

    @cached_property
    def reach6(self) -> Reach:
        """Who passes over IPv6."""
        return reach(self.tree, 6)

    @property
    def everyone_passes(self) -> bool:
        """Whether at least half of all IPv4 or of all IPv6 addresses certainly get a pass."""
        return self.reach4.passes.is_most or self.reach6.passes.is_most

    @cached_property
    def strangers_can_pass(self) -> Strangers:
        """Whether somebody who has nothing to do with the domain can get a pass with it as MAIL FROM.

        ``no`` also where there is no usable record: without one nobody passes. Servers of a provider that the record
        names are no strangers here, though its other customers may use them too.
        """
        if self.sample and self.sample.result is Result.PASS:
            return Strangers.YES
        tried = self.sample is not None and self.sample.result is not Result.TEMPERROR
        return _strangers(self.tree, (self.reach4, self.reach6), tried=tried)

    def wildcard_strangers(self, texts: Sequence[bytes]) -> Strangers:
        """The same for an invented subdomain, if the zone answers for every name with these TXT records.

        What such a record includes is only known as far as the domain's own record includes it too.
        """
        below = self.domain.child("*")
        txt = Answer(Question(below, RRType.TXT), Status.DATA, tuple(Txt((text,)) for text in texts))
        tree = assemble(below, {answer.question: answer for answer in (txt, *self.answers())})
        return _strangers(tree, (reach(tree, 4), reach(tree, 6)), tried=False)

    def answers(self) -> Iterator[Answer]:
        """Every answer that the tree rests on, the domain's own TXT set first."""
        yield self.txt
        for branch in self.tree.walk():
            yield from branch.answers
            if branch.below:
                yield branch.below.answer

    def branches(self) -> tuple[Branch, ...]:
        """Every term of the tree in the order of evaluation."""
        return tuple(self.tree.walk())

    @property
    def lookalikes(self) -> tuple[bytes, ...]:
        """Texts at the domain that mean to be SPF but that receivers do not take for it."""
        return tuple(text for text in self.txt.texts if not is_spf(text) and _looks_like_spf(text))


_STATUSES: Final = {
    BranchStatus.OK: SpfStatus.VALID,
    BranchStatus.EMPTY: SpfStatus.NONE,
    BranchStatus.NXDOMAIN: SpfStatus.NONE,
    BranchStatus.MULTIPLE: SpfStatus.PERMERROR,
    BranchStatus.SYNTAX: SpfStatus.PERMERROR,
    BranchStatus.UNANSWERED: SpfStatus.UNANSWERED,
    BranchStatus.NOT_ASKED: SpfStatus.UNANSWERED,
}


def _ends_check(branch: Branch) -> bool:
    """Whether a check that reaches this term ends in permerror."""
    leads_on = isinstance(branch.term, Modifier) or branch.term.kind is Kind.INCLUDE
    return branch.status is BranchStatus.TOO_MANY_HOSTS or (leads_on and branch.status.breaks)


def _strangers(tree: Published, walks: tuple[Reach, Reach], *, tried: bool) -> Strangers:
    """``tried``: a stranger's address was put through the terms that depend on the message, and did not pass."""
    if _STATUSES[tree.status] is SpfStatus.UNANSWERED:
        return Strangers.UNKNOWN
    if any(walk.passes.is_most for walk in walks):
        return Strangers.YES
    if any(walk.unanswered or walk.maybe.is_most or (walk.dynamic and not tried) for walk in walks):
        return Strangers.UNKNOWN
    return Strangers.NO


def _looks_like_spf(text: bytes) -> bool:
    """Whether the beginning means ``v=spf1``, with blanks, quotes or full-width letters in it."""
    plain = unicodedata.normalize("NFKC", text[:64].decode("utf-8", "ignore")).lower()
    squeezed = "".join(plain.split()).lstrip("\"'\\(\ufeff\u200b\u201c\u201d")
    return squeezed.startswith(
        ("v=spf1", "v:spf1", "v-spf1", "vspf1", "v=spf:1", "v=spf=1", "spf1", "v=sfp1", "spf=v1")
    )


def survey_spf(domain: DomainName) -> Inquiry[SpfSurvey]:
    """Collect the SPF facts of ``domain``.

    Asks the domain's TXT and SPF (type 99) sets, then the tree below the record, level by level; where there is no
    record, the two names at which one may stand by mistake. At most 60 questions: 2 here, 46 for the tree
    (``expansion.MAX_QUESTIONS``) or 2 for wrong names, 12 for a stranger's address where terms depend on the message.
    """
    txt, type99 = yield from ask_all((Question(domain, RRType.TXT), Question(domain, RRType.SPF)))
    wrong_names: tuple[Answer, ...] = ()
    if txt.absent or (txt.present and not select_records(txt.txts)):
        wrong_names = yield from ask_all([Question(domain.child(label), RRType.TXT) for label in WRONG_NAMES])
    survey = yield from _lay_open(domain, txt, type99, wrong_names)
    return survey


def survey_passes(domain: DomainName) -> Inquiry[SpfSurvey]:
    """Collect only what decides who passes; nothing is asked about mistakes. At most 59 questions."""
    (txt,) = yield from ask_all((Question(domain, RRType.TXT),))
    survey = yield from _lay_open(domain, txt, not_asked(Question(domain, RRType.SPF), "unneeded"), ())
    return survey


def _lay_open(domain: DomainName, txt: Answer, type99: Answer, wrong_names: tuple[Answer, ...]) -> Inquiry[SpfSurvey]:
    """The tree below the record, and what a stranger gets where terms depend on the message."""
    answers = yield from collect(domain, txt)
    explanation = answers.get(explained) if (explained := explanation_question(txt, domain)) else None
    survey = SpfSurvey(domain, txt, type99, wrong_names, assemble(domain, answers), explanation)
    stranger = next((address for address in STRANGERS if address not in survey.reach4.passes), None)
    if stranger and survey.reach4.dynamic and not survey.truncated and not survey.everyone_passes:
        sample = yield from limited(
            check_host(stranger, domain, Mailbox("stranger", domain), helo=f"mail.{domain}"),
            answers,
            MAX_SAMPLE_QUESTIONS,
        )
        return replace(survey, sample=sample)
    return survey
