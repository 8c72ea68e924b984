"""One mail from its bytes to its end: stored, ignored, or in quarantine."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from mailguard.errors import MailguardError
from mailguard.feedback.envelope import ReceivedMail
from mailguard.feedback.mail import MailContents
from mailguard.resolver import Resolver
from mailguard.spool.reason import Reason
from mailguard.store.values import Filed, Outcome, Stored
from mailguard.trust.grade import Trust
from mailguard.trust.proof import Authentication
from mailguard.worker.asking import Asking
from mailguard.worker.filer import Filer, StoreRefused
from mailguard.worker.judging import Fate, Judge, contents_are_private, decide
from mailguard.worker.later import Later
from mailguard.worker.readers import Readers, ReadFailed, ReadMail
from mailguard.worker.reasons import ENDED_US, SENDER_UNCHECKED, SIGNED_IN_FUTURE
from mailguard.worker.tries import Tries

log = logging.getLogger(__name__)

MAX_TRIES: Final = 3

Quarantine = Callable[[ReceivedMail, Reason, str], object]
"""Keeps a mail apart with a reason and the domain that is proved to have sent it, if any; durable on return, may raise
SpoolError."""


class MailOutcome(StrEnum):
    """What became of a mail."""

    STORED = "stored"  # at least one report is new
    DUPLICATE = "duplicate"  # every report in it was there already
    CONFLICT = "conflict"  # a report contradicts one that is there; that one stays, this is noted
    QUARANTINED = "quarantined"  # could not be read
    IGNORED = "ignored"  # no report, or one that is not kept


@dataclass(frozen=True, slots=True)
class Handled:
    """What became of a mail, and why where its reports were not simply stored."""

    mail: ReceivedMail
    outcome: MailOutcome
    reason: Reason | None = None
    contents: MailContents | None = None
    trusts: tuple[Trust, ...] = ()
    tls_trusts: tuple[Trust, ...] = ()

    @property
    def is_in_part(self) -> bool:
        """Whether something in the mail could not be read."""
        return self.contents is not None and bool(self.contents.unreadable)

    @property
    def wants_a_look(self) -> bool:
        """Whether something of the mail was not understood, or speaks against what was known."""
        return self.is_in_part or self.outcome in (MailOutcome.QUARANTINED, MailOutcome.CONFLICT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """Takes mails one by one, many at a time.

    Without ``resolver`` nobody asks who sent a mail. Without ``quarantine`` a mail that cannot be read is only told
    about; without ``later`` no check is made again; without ``tries`` failures are counted in memory alone. ``now`` is
    the clock by which a mail that is checked again is judged; it may have been wrong when the mail came.
    """

    readers: Readers
    filer: Filer
    judge: Judge
    resolver: Resolver | None = None
    quarantine: Quarantine | None = None
    later: Later | None = None
    tries: Tries | None = None
    now: Callable[[], float] = time.time
    _slow: asyncio.Lock = field(default_factory=asyncio.Lock)
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def handle(self, mail: ReceivedMail, *, checks: int = 0, suspect: bool = False) -> Handled:
        """Do everything for one mail; what became of it is durable on return.

        ``checks`` counts the times that its sender was checked before. A ``suspect`` may have been what ended us the
        last time: while it is in our own hands that is noted, and who is noted three times is not touched again.

        Raises StoreAway when we stop, and MailguardError when our own disk or system fails: then nothing became of the
        mail, and it is to be handled again.
        """
        reason = ENDED_US
        for failed in range(self._failures(mail), MAX_TRIES):
            try:
                # Those that failed go on one at a time, so that they do not take all the processes from the others.
                async with self._slow if failed else nullcontext():
                    handled = await self._handle(mail, checks, failed + 1 if suspect else 0)
            except (ReadFailed, StoreRefused) as error:
                reason = error.reason
                await self._note(mail, failed + 1)
                continue
            except (MailguardError, asyncio.CancelledError):
                if suspect:
                    await self._note(mail, failed)  # it was not this mail
                raise
            except Exception as error:  # a mistake of ours, which must not cost the mails beside this one
                log.exception("mail %s: mailguard itself failed", mail.digest.hex()[:12])
                reason = Reason("failed-in-us", {"kind": type(error).__name__})
                await self._note(mail, failed + 1)
                continue
            await self._note(mail, 0)
            return handled
        return await self._set_aside(mail, reason)

    async def _handle(self, mail: ReceivedMail, checks: int, suspected: int) -> Handled:
        now = max(mail.received_at, int(self.now())) if checks else mail.received_at
        read = await self._read(mail, now)
        if suspected:
            # From here on the mail could end us; while it was being read, only the process that read it. The store is
            # opened first, or whoever kills us while it is being opened would put the blame on this mail.
            await self.filer.ready()
            await self._note(mail, suspected)
        fate, reason = decide(mail, read.contents)
        if fate is Fate.IGNORE:
            return Handled(mail, MailOutcome.IGNORED, reason, _without_content(read.contents))
        if fate is Fate.QUARANTINE:
            assert reason is not None
            return await self._set_aside(mail, reason, read)
        await self._until_past_is_known()
        filed = self.judge.file(mail, read.contents, read.authentication, now)
        # The bytes of a mail with a failure report are kept nowhere, so its sender is checked once.
        again = not contents_are_private(read.contents) and await self._check_again(mail, read.authentication, checks)
        stored = await self.filer.add(filed)
        self.judge.learn(filed)
        if again and reason is None:
            assert read.authentication is not None
            reason = SIGNED_IN_FUTURE if read.authentication.early else SENDER_UNCHECKED
        return Handled(mail, _outcome(filed, stored), reason, read.contents, filed.trusts, filed.tls_trusts)

    async def _until_past_is_known(self) -> None:
        """Whoever opens the store tells the judge who reported before. One waits for all."""
        if self.judge.awaits_past:
            async with self._opening:
                if self.judge.awaits_past:
                    await self.filer.ready()

    async def _read(self, mail: ReceivedMail, now: int) -> ReadMail:
        if self.resolver is None:
            return await self.readers.read(mail)
        with Asking(self.resolver) as ask:
            return await self.readers.read(mail, ask, now)

    async def _check_again(self, mail: ReceivedMail, authentication: Authentication | None, checks: int) -> bool:
        """Before the mail is stored, since afterwards nobody else has its bytes; doing it twice changes nothing."""
        if self.later is None or authentication is None or not authentication.unchecked:
            return False
        return await asyncio.to_thread(self.later.put, mail, checks + 1)

    async def _set_aside(self, mail: ReceivedMail, reason: Reason, read: ReadMail | None = None) -> Handled:
        if self.quarantine is not None:
            proved = read.authentication.proved if read and read.authentication else ()
            await asyncio.to_thread(self.quarantine, mail, reason, str(proved[0]) if proved else "")
        await self._note(mail, 0)
        return Handled(mail, MailOutcome.QUARANTINED, reason, read.contents if read else None)

    def _failures(self, mail: ReceivedMail) -> int:
        # The digest is made only where some mail has failed lately.
        return self.tries.count(mail.digest) if self.tries is not None and self.tries.any else 0

    async def _note(self, mail: ReceivedMail, failures: int) -> None:
        """Remember on disk how often this mail has failed; 0 forgets it."""
        if self.tries is not None and (failures or self.tries.any):
            await asyncio.to_thread(self.tries.note, mail.digest, failures)


def _outcome(filed: Filed, stored: Stored) -> MailOutcome:
    """For the mail as a whole: a conflict is told first, then that something was new."""
    outcomes = (*stored.outcomes, *stored.tls_outcomes)
    if Outcome.CONFLICT in outcomes:
        return MailOutcome.CONFLICT
    if Outcome.STORED in outcomes or (filed.contents.failure_reports and stored.new):
        return MailOutcome.STORED
    return MailOutcome.DUPLICATE if outcomes or filed.contents.failure_reports else MailOutcome.IGNORED


def _without_content(contents: MailContents) -> MailContents | None:
    """What may be shown of a mail that is not kept: only what kind it is."""
    return MailContents((), (), ignored=contents.ignored)
