"""The second opinion: checkdmarc's verdict on the very answers that our own audit rests on.

checkdmarc is an independent implementation by people who know the field. Where both agree, a reader may trust the
verdict more; where they differ, one of the two is wrong, and the difference is worth a sentence. It is never *the*
verdict: it has no word for "could not be answered", calls ``v=spf1 +all`` valid, and does not know DKIM.

What we are sure of:

* No network. checkdmarc sees a mapping of answers and nothing else (``evidence.py``); a test takes its sockets away.
* "Not in the evidence" never becomes "absent". Such a question is collected, ``second_opinion_inquiry`` asks it, and
  where nobody can be asked (a replay) the verdict that hangs on it is ``None``.
* No exception leaves. No record longer than ``evidence.MAX_TEXT_OCTETS`` enters.
* One run at a time: its caches belong to the process. A run takes about 5 ms; the first one also imports the library,
  which takes about half a second, so nothing here imports it before it is wanted.

Every way in which the two are known to differ is a category with a clause: ``categories.toml``, docs/second-opinion.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mailguard.inquiry import Answer, Inquiry, Question, RRType, Status, ask_all
from mailguard.names import DomainName
from mailguard.second_opinion.categories import UNEXPLAINED, Category, Right, explain, load_categories
from mailguard.second_opinion.compare import Aspect, Disagreement, compare
from mailguard.second_opinion.opinion import Opinion, PeerDmarc, PeerMx, PeerSpf, PeerVerdict

__all__ = [
    "UNEXPLAINED",
    "Aspect",
    "Category",
    "Disagreement",
    "Opinion",
    "PeerDmarc",
    "PeerMx",
    "PeerSpf",
    "PeerVerdict",
    "Right",
    "compare",
    "explain",
    "load_categories",
    "second_opinion",
    "second_opinion_inquiry",
]

MAX_PASSES: Final = 12
"""Times that checkdmarc is run on one domain while its questions are being answered.

Two are usual. It gives up at the first include that it cannot follow, so a tree that our own audit did not follow,
because receivers do not, is learned one include a run.
"""

MAX_QUESTIONS: Final = 60
"""Questions asked for checkdmarc beyond those of our own audit."""


def second_opinion(domain: DomainName, answers: Mapping[Question, Answer]) -> Opinion:
    """What checkdmarc says about ``domain`` when it sees ``answers`` and nothing else.

    Never raises and never touches the network. Blocks for about 5 ms (the first call about 500 ms more), one caller
    at a time; on an event loop, give it to a thread.
    """
    # Imported here: it costs half a second that no other command should pay.
    from mailguard.second_opinion.peer import consult

    return consult(domain, answers)


def second_opinion_inquiry(domain: DomainName, answers: Mapping[Question, Answer]) -> Inquiry[Opinion]:
    """The same, asking what checkdmarc wants to know and our audit did not ask.

    At most ``MAX_QUESTIONS`` questions in at most ``MAX_PASSES`` runs. Type 99 is not asked: RFC 7208 section 3.1
    withdrew it, and no verdict rests on it. An answer "not asked" ends the matter for that question.
    """
    known = dict(answers)
    asked: set[Question] = set()
    for _ in range(MAX_PASSES - 1):
        opinion = second_opinion(domain, known)
        wanted = [
            question
            for question in opinion.missing
            if question not in asked and question.rrtype is not RRType.SPF and question.name.is_askable
        ][: MAX_QUESTIONS - len(asked)]
        if not wanted:
            return opinion
        asked.update(wanted)
        for answer in (yield from ask_all(wanted)):
            if answer.status is not Status.NOT_ASKED:
                known[answer.question] = answer
    return second_opinion(domain, known)
