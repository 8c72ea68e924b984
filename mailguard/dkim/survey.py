"""What DKIM facts are visible for one domain.

Two rounds. The first asks what decides (``_domainkey`` and an invented selector), the selectors that somebody named,
and the few most usual guesses; the second asks the other guesses, and only where a selector can exist. A domain without
DKIM so costs six questions instead of twenty-six, and most others have their key after the first round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from mailguard.dkim.key import KeyRecord, Remark, Strength, parse_key
from mailguard.dkim.selectors import FIRST_GUESSES, Candidate, SelectorOrigin, choose, key_name
from mailguard.inquiry import Answer, Inquiry, Question, RRType, ask_all, not_asked
from mailguard.names import DomainName

__all__ = ["Candidate", "DkimStatus", "DkimSurvey", "SelectorFacts", "SelectorOrigin", "SelectorStatus", "survey_dkim"]


class DkimStatus(StrEnum):
    """Whether the domain has DKIM keys, as far as DNS shows."""

    PRESENT = "present"  # a usable key was seen
    ABSENT = "absent"  # the name server denies everything below _domainkey
    UNKNOWN = "unknown"  # no usable key was seen, but there may be one at a selector that nobody told us
    UNANSWERED = "unanswered"  # a deciding question was not answered: _domainkey, or a selector likely to exist


class SelectorStatus(StrEnum):
    """What lies at one selector; the gravest that holds."""

    OK = "ok"
    WEAK = "weak"  # usable, but RSA below 2048 bits (RFC 8301 section 3.2)
    TOO_SHORT = "too_short"  # RSA below 1024 bits: verifiers must not accept it
    REVOKED = "revoked"  # an empty p=
    TESTING = "testing"  # usable, with t=y
    INVALID = "invalid"  # a record that verifiers must discard
    ABSENT = "absent"
    UNANSWERED = "unanswered"

    @property
    def is_usable(self) -> bool:
        """Verifiers accept signatures made with this key."""
        return self in (SelectorStatus.OK, SelectorStatus.WEAK, SelectorStatus.TESTING)


@dataclass(frozen=True)  # without slots, for cached properties
class SelectorFacts:
    """One selector that was asked for.

    ``by_wildcard``: the answer is word for word that of an invented selector, so nobody published it for this one.
    """

    selector: str
    origin: SelectorOrigin
    answer: Answer
    by_wildcard: bool = False

    @property
    def name(self) -> DomainName:
        """The DNS name of the key record."""
        return self.answer.question.name

    @property
    def questions(self) -> tuple[Question, ...]:
        """The question whose answer this rests on."""
        return (self.answer.question,)

    @cached_property
    def records(self) -> tuple[KeyRecord, ...]:
        """Every TXT record at the selector, read as a key record. RFC 6376 section 3.6.2.2 allows just one."""
        return tuple(parse_key(txt.strings) for txt in self.answer.txts)

    @cached_property
    def key(self) -> KeyRecord | None:
        """The record that a verifier most likely uses: the first usable one, else the first (section 6.1.2 step 4)."""
        records = sorted(self.records, key=lambda record: (record.flaw is not None, record.text))
        return records[0] if records else None

    @cached_property
    def status(self) -> SelectorStatus:
        """What a verifier makes of it."""
        if self.answer.unanswered:
            return SelectorStatus.UNANSWERED
        key = self.key
        # A wildcard meant for something else (an SPF text, say) is no key that somebody published wrongly.
        if key is None or (self.by_wildcard and not key.is_key):
            return SelectorStatus.ABSENT
        return status_of(key)

    @property
    def is_dangling(self) -> bool:
        """A CNAME that leads to no TXT record."""
        return self.answer.absent and bool(self.answer.aliases)

    @cached_property
    def is_own(self) -> bool:
        """Something was published for just this selector, even if it is broken."""
        return not self.by_wildcard and (self.answer.present or bool(self.answer.aliases))


def status_of(key: KeyRecord) -> SelectorStatus:
    """The gravest thing to say about one key record."""
    if key.flaw is not None:
        return SelectorStatus.INVALID
    if key.revoked:
        return SelectorStatus.REVOKED
    if key.strength is Strength.TOO_SHORT:
        return SelectorStatus.TOO_SHORT
    if key.testing:
        return SelectorStatus.TESTING
    return SelectorStatus.WEAK if key.strength is Strength.WEAK else SelectorStatus.OK


@dataclass(frozen=True)  # without slots, for cached properties
class DkimSurvey:
    """DKIM facts of a domain."""

    domain: DomainName
    below: Answer  # TXT at _domainkey.<domain>: NXDOMAIN denies every selector (RFC 8020)
    control: Answer  # TXT at an invented selector: what a name that nobody published looks like
    selectors: tuple[SelectorFacts, ...]  # those asked for, most trusted origin first

    @property
    def questions(self) -> tuple[Question, ...]:
        """The two questions that decide whether selectors can exist."""
        return (self.below.question, self.control.question)

    @cached_property
    def found(self) -> tuple[SelectorFacts, ...]:
        """Selectors at which something was published, readable or not."""
        return tuple(facts for facts in self.selectors if facts.is_own and not self._may_be_wildcards(facts))

    def _may_be_wildcards(self, facts: SelectorFacts) -> bool:
        """Without the control answer nobody can tell a wildcard's revocation from a record of this selector's own."""
        return self.control.unanswered and not facts.answer.aliases and not facts.status.is_usable

    @cached_property
    def usable(self) -> tuple[SelectorFacts, ...]:
        """Selectors whose key verifiers accept. A key that is a wildcard's is counted at each selector asked."""
        return tuple(facts for facts in self.selectors if facts.status.is_usable)

    @cached_property
    def told(self) -> tuple[SelectorFacts, ...]:
        """Selectors worth telling about: those found, and those that somebody named."""
        return tuple(facts for facts in self.selectors if facts in self.found or facts.origin.is_named)

    @cached_property
    def unseen(self) -> tuple[SelectorFacts, ...]:
        """Selectors that were asked for without an answer; a selector that no question can hold is none of these."""
        return tuple(facts for facts in self.selectors if facts.answer.unanswered and facts.answer.note != "unaskable")

    @property
    def strangers_can_sign(self) -> bool:
        """Whether verifiers accept a key whose private half is printed in a standard, or can be worked out at once."""
        open_to_all = {Remark.KNOWN_PRIVATE_KEY, Remark.FACTORABLE}
        return any(facts.key and not facts.key.remarks.isdisjoint(open_to_all) for facts in self.usable)

    @property
    def denies_parent_of_keys(self) -> bool:
        """The name server denies ``_domainkey`` although a selector exists below it: it breaks RFC 8020."""
        return self.below.denies_name and bool(self.found)

    @cached_property
    def wildcard(self) -> KeyRecord | None:
        """The key record that every unpublished selector gets, if there is one."""
        keys = [key for key in (parse_key(txt.strings) for txt in self.control.txts) if key.is_key]
        return keys[0] if keys else None

    @cached_property
    def status(self) -> DkimStatus:
        """The verdict over all selectors."""
        if self.usable:
            return DkimStatus.PRESENT
        if self.below.unanswered or any(facts.origin is not SelectorOrigin.GUESS for facts in self.unseen):
            return DkimStatus.UNANSWERED
        if not self.below.denies_name or self.found:
            return DkimStatus.UNKNOWN
        # Some servers wrongly deny _domainkey: with a selector unanswered it is not sure that this one does not.
        if self.control.unanswered or self.unseen:
            return DkimStatus.UNANSWERED
        return DkimStatus.ABSENT if self.control.denies_name else DkimStatus.UNKNOWN


def survey_dkim(domain: DomainName, candidates: Sequence[Candidate], probe_label: str) -> Inquiry[DkimSurvey]:
    """Collect the DKIM facts of ``domain``: at most 42 questions, 24 of them guessed selectors, in two rounds.

    Args:
        candidates: selectors that somebody named or a provider is known to use; the usual guesses are added here.
        probe_label: a label that nobody publishes, for the control question; the caller draws it.
    """
    known, guesses = choose(tuple(candidates))
    sure, rest = (*known, *guesses[:FIRST_GUESSES]), guesses[FIRST_GUESSES:]
    deciding = (domain.child("_domainkey"), key_name(probe_label, domain))
    below, control, *first = yield from _ask_txt((*deciding, *_names(sure, domain)))
    second: tuple[Answer, ...] = ()
    if _may_exist(below, control, first):
        second = yield from _ask_txt(_names(rest, domain))
    pairs = zip((*sure, *rest), (*first, *second), strict=False)
    return DkimSurvey(domain, below, control, tuple(_facts(each, answer, control) for each, answer in pairs))


def _names(candidates: Sequence[Candidate], domain: DomainName) -> tuple[DomainName, ...]:
    return tuple(key_name(candidate.selector, domain) for candidate in candidates)


def _ask_txt(names: Sequence[DomainName]) -> Inquiry[tuple[Answer, ...]]:
    questions = [Question(each, RRType.TXT) for each in names]
    askable = [question for question in questions if question.name.is_askable]
    answers = yield from ask_all(askable)
    found = dict(zip(askable, answers, strict=True))
    return tuple(found.get(question) or not_asked(question, "unaskable") for question in questions)


def _may_exist(below: Answer, control: Answer, first: Sequence[Answer]) -> bool:
    """Whether asking for more selectors can show anything."""
    if below.unanswered and control.unanswered:
        return False  # a server that answers neither would only cost two dozen more time-outs
    # RFC 8020: nothing lies below a name that does not exist, unless this server was just seen to break that rule.
    denied = below.denies_name and (control.denies_name or control.unanswered)
    return not denied or any(answer.present or answer.aliases for answer in first)


def _facts(candidate: Candidate, answer: Answer, control: Answer) -> SelectorFacts:
    same = (control.present or bool(control.aliases)) and control.aliases == answer.aliases
    by_wildcard = same and control.status is answer.status and sorted(control.texts) == sorted(answer.texts)
    return SelectorFacts(candidate.selector, candidate.origin, answer, by_wildcard)
