"""The limits of RFC 7208 section 4.6.4, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

from mailguard.inquiry import Answer, Inquiry, Question, Together, not_asked
from mailguard.spf.terms import Directive, Modifier

T = TypeVar("T")

MAX_LOOKUPS: Final = 10
"""Terms that cause look-ups: include, a, mx, ptr, exists and redirect, over the whole check. One more is permerror."""

MAX_VOID_LOOKUPS: Final = 2
"""Terms whose questions all came back empty. A SHOULD: receivers may allow more."""

MAX_MX_HOSTS: Final = 10
"""Hosts whose addresses are asked for one mx term. One more is permerror."""

MAX_PTR_NAMES: Final = 10
"""PTR names that are looked at for ptr and %{p}; further ones are ignored."""


@dataclass(frozen=True, slots=True)
class LookupBudget:
    """What one check may spend, with all its includes, in terms and not in packets. By default the RFC's limits."""

    lookups: int = MAX_LOOKUPS
    void_lookups: int = MAX_VOID_LOOKUPS
    mx_hosts: int = MAX_MX_HOSTS  # for each mx term anew
    ptr_names: int = MAX_PTR_NAMES  # for each PTR answer anew


RFC_BUDGET: Final = LookupBudget()


def lookup_cost(term: Directive | Modifier) -> int:
    """How many of the ten a term costs by itself.

    The PTR question behind ``%{p}`` counts as one more; ``exp`` and unknown modifiers count nothing.
    """
    asks = term.asks if isinstance(term, Directive) else term.name == "redirect"
    target = term.target if isinstance(term, Directive) else term.value
    return int(asks) + int(asks and target is not None and "p" in target.letters)


def limited(inquiry: Inquiry[T], known: Mapping[Question, Answer], max_questions: int) -> Inquiry[T]:
    """Let an inquiry ask at most ``max_questions`` that are not ``known`` yet; further ones go unanswered.

    Only for inquiries that yield plain questions, not ``Together``.
    """
    answers = dict(known)
    reply: Any = None
    try:
        while True:
            try:
                step = inquiry.send(reply)
            except StopIteration as stop:
                return cast(T, stop.value)
            assert not isinstance(step, Together)
            fresh = tuple(dict.fromkeys(question for question in step if question not in answers))[:max_questions]
            max_questions -= len(fresh)
            if fresh:
                answers.update(zip(fresh, (yield fresh), strict=True))
            reply = tuple(answers.get(question) or not_asked(question, "budget") for question in step)
    finally:
        inquiry.close()
