"""``Session``: what one audited domain may ask, and the record of what it asked."""

from __future__ import annotations

import asyncio
import time
from types import TracebackType
from typing import Final, Self

from mailguard.inquiry import Answer, Question, Status, not_asked
from mailguard.resolver.resolver import Resolver, Tell

MAX_QUESTIONS: Final = 100
DEADLINE_S: Final = 20.0


class Session:
    """Questions about one domain, within a budget and until a deadline; each asked once.

    A zone made to cost others time can make an audit ask much and wait long; here is where that ends.

    * At most ``max_questions`` distinct questions are asked; those asked only to follow a CNAME count. Further ones are
      NOT_ASKED, ``budget``.
    * ``deadline_s`` after the session was opened, what is under way becomes TIMEOUT, ``deadline``: a server was asked
      and has not answered. What had not been sent, and all that is asked later, is NOT_ASKED, ``deadline``.

    Use it as ``with Session(resolver) as session`` inside the resolver's event loop. Leaving it tells nobody anything
    more; what is under way ends by itself in the resolver, where others may be waiting for it.
    """

    def __init__(
        self, resolver: Resolver, *, max_questions: int = MAX_QUESTIONS, deadline_s: float = DEADLINE_S
    ) -> None:
        self._resolver = resolver
        self._max_questions = max_questions
        self._deadline_s = deadline_s
        self._known: dict[Question, Answer | list[Tell]] = {}
        self._paid: set[Question] = set()
        self._is_over = False
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        """Start the clock."""
        self._timer = asyncio.get_running_loop().call_later(self._deadline_s, self._reach_deadline)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening."""
        self._is_over = True
        if self._timer is not None:
            self._timer.cancel()

    @property
    def answers(self) -> tuple[Answer, ...]:
        """All answers so far in the order in which their questions were first asked: the evidence.

        Those of NOT_ASKED are among them; whoever replays the audit has to meet them again.
        """
        return tuple(known for known in self._known.values() if isinstance(known, Answer))

    @property
    def questions(self) -> int:
        """How many distinct questions were put to the resolver; never more than the budget."""
        return len(self._paid)

    def ask(self, question: Question, tell: Tell) -> Answer | None:
        """The answer, if it is known; otherwise ``None``, and ``tell`` is called with it later (never from in here)."""
        known = self._known.get(question)
        if isinstance(known, Answer):
            return known
        if known is not None:
            known.append(tell)
            return None
        self._known[question] = [tell]
        answer = self._ask_first(question)
        if answer is not None:
            self._known[question] = answer
        return answer

    def _ask_first(self, question: Question) -> Answer | None:
        if self._is_over:
            return not_asked(question, "deadline")
        if not self._afford(question):
            return not_asked(question, "budget")
        answer = self._resolver.ask(question, self._came, self._afford)
        if answer is not None and answer.note == "unaskable" and not answer.aliases:
            self._paid.discard(question)
        return answer

    def _afford(self, question: Question) -> bool:
        if question not in self._paid:
            if self._is_over or len(self._paid) >= self._max_questions:
                return False
            self._paid.add(question)
        return True

    def _came(self, answer: Answer) -> None:
        waiting = self._known[answer.question]
        if isinstance(waiting, Answer) or (self._is_over and answer.note != "deadline"):
            return  # too late: something else has been said in its place
        self._known[answer.question] = answer
        for tell in waiting:
            tell(answer)

    def _reach_deadline(self) -> None:
        self._is_over = True
        pending = [question for question, known in self._known.items() if not isinstance(known, Answer)]
        for question in pending:
            if self._resolver.is_queued(question):
                self._came(not_asked(question, "deadline"))
            else:
                asked_at = time.time() - self._deadline_s
                self._came(Answer(question, Status.TIMEOUT, asked_at=asked_at, note="deadline"))
