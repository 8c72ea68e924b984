"""Evidence: what was asked about a domain and what was answered, so that an audit can be replayed without a network.

``source_of`` turns evidence into the ``Source`` that ``mailguard.inquiry.run`` asks. An audit that is replayed from it
meets exactly the answers that it met the first time, the unanswered and the not-asked ones included, and so comes to
the same findings. A question that the evidence does not have is NOT_ASKED, ``evidence``: a later version of mailguard
may ask more, and must not take a gap for an absent record.

``codec`` (pure) says how evidence looks as JSON; ``files`` reads and writes. The format is documented in
docs/evidence-format.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from mailguard.inquiry import Answer, Question, Source, not_asked
from mailguard.names import DomainName

Option = str | int | float | bool | None | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One domain as it was seen once.

    ``as_of`` has a time zone. ``options`` are what the audit was told besides (expectations, policy): replaying needs
    the same. ``answers`` stand in the order in which the questions were asked, each question once.
    """

    domain: DomainName
    as_of: datetime
    probe_label: str
    selectors: tuple[str, ...] = ()
    options: Mapping[str, Option] = field(default_factory=dict)
    answers: tuple[Answer, ...] = ()


def source_of(evidence: Evidence) -> Source:
    """Answer questions from evidence and from nothing else."""
    answers = {answer.question: answer for answer in evidence.answers}

    def answer(question: Question) -> Answer:
        return answers.get(question) or not_asked(question, "evidence")

    return answer


__all__ = ["Evidence", "Option", "source_of"]
