"""The answers to what a reading process wants to know from DNS."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType
from typing import Final, Self

from mailguard.inquiry import Answer, Question, ask_all
from mailguard.resolver import Resolver, Session
from mailguard.resolver.driver import drive

MAX_QUESTIONS: Final = 80
"""For one mail: five keys, a tree walk of eight names for the author and for a few signers, and SPF with its ten terms.
Real mails need about ten."""

DEADLINE_S: Final = 10.0
"""For one mail. What is not answered by then may be checked again later (``later.py``)."""


class Asking:
    """Answers the questions about one mail, within a budget and a deadline of its own.

    The deadline runs from the first question: until then the mail may have waited for a process for as long as it took.
    """

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._stack = ExitStack()
        self._session: Session | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    async def __call__(self, questions: tuple[Question, ...]) -> tuple[Answer, ...]:
        """The answers, in the order of the questions. Comes to an end by the deadline."""
        if self._session is None:
            session = Session(self._resolver, max_questions=MAX_QUESTIONS, deadline_s=DEADLINE_S)
            self._session = self._stack.enter_context(session)
        return await drive(ask_all(questions), self._session)
