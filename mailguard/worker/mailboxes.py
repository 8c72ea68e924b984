"""Reports from a mailbox: each is moved or marked once what was read of it is safe."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError as FutureCancelled
from contextlib import aclosing
from typing import Final, TypeVar, cast

from mailguard import __version__
from mailguard.errors import MailguardError, OperationError
from mailguard.feedback.envelope import ReceivedMail, Way
from mailguard.sources.mailbox import Batch, Fetched, IsReport, Outcome, Place, Seen, SeenInMemory
from mailguard.sources.settings import MailboxSettings
from mailguard.sources.watch import watch
from mailguard.store import Store
from mailguard.store.database import Database
from mailguard.store.seen import Folder, SeenMail, forget_gone, load_seen, remember_seen
from mailguard.worker.filer import Filer, Keeper, StoreAway
from mailguard.worker.handling import Handled, Handler, MailOutcome
from mailguard.worker.readers import Readers, ReadFailed
from mailguard.worker.reasons import sentence_of
from mailguard.worker.telling import plain, tell
from mailguard.worker.wire import ReadingSettings

log = logging.getLogger(__name__)
T = TypeVar("T")

_LOOK_S: Final = 120.0
_STORE_S: Final = 60.0
_MAX_LOOKS: Final = 3
_MAX_BLAMED: Final = 1_000
_HEAD_BYTES: Final = 64 * 1024

# RFC 9990 3.5.3 and RFC 8460 5.3: what a report's subject says, and no other mail's.
_SUBJECT: Final = re.compile(rb"^subject:[^\n]{0,200}\breport[ \t]domain:", re.IGNORECASE | re.MULTILINE)


async def watch_mailbox(
    settings: MailboxSettings,
    handler: Handler,
    *,
    seen: Seen | None = None,
    told: Callable[[Handled], None] = tell,
) -> None:
    """Take reports out of a mailbox, for ever. Never raises for what the mail server does.

    Without ``seen`` it is remembered in memory which mails need not be fetched again.
    """

    def trouble(error: MailguardError, pause_s: float) -> None:
        log.warning("the mailbox will be asked again in %d s: %s", int(pause_s), plain(str(error), 400))

    is_report = recogniser(handler.readers)
    async with aclosing(watch(settings, seen or SeenInMemory(), is_report, trouble)) as batches:
        async for batch in batches:
            for left in batch.left:
                log.warning("a mail of %d bytes is too big and stays where it is: %s", left.size, plain(left.origin))
            await asyncio.gather(*(_take(handler, batch, fetched, told) for fetched in batch.mails))


async def _take(handler: Handler, batch: Batch, fetched: Fetched, told: Callable[[Handled], None]) -> None:
    """One mail; it stays where it is, and comes again, unless something became of it."""
    try:
        handled = await handler.handle(fetched.mail)
    except StoreAway:
        return
    except OperationError as error:
        log.error("%s", error)
        return
    if handled.outcome is MailOutcome.IGNORED:
        batch.leave(fetched.uid)  # somebody wrote about a report: nothing was kept of it, and it is theirs
        return
    told(handled)
    batch.commit(fetched.uid, failed=handled.outcome is MailOutcome.QUARANTINED)


def recogniser(readers: Readers) -> IsReport:
    """Says for a mail whether it is a report, from the thread of a mailbox. Reads it in a reading process.

    A mail in which no report can be read counts as one only if its subject says so: whatever else lies in the mailbox
    is none of our business. Where reading failed nobody knows, so it is asked again; a mail that is to blame for that
    three times is left alone.
    """
    loop = asyncio.get_running_loop()
    blamed: Counter[bytes] = Counter()

    def is_report(raw: bytes) -> bool | None:
        if _SUBJECT.search(raw[:_HEAD_BYTES].replace(b"\r\n", b"\n").partition(b"\n\n")[0]):
            return True
        mail = ReceivedMail(raw, 0, way=Way.MAILBOX)
        reading = asyncio.run_coroutine_threadsafe(readers.read(mail), loop)
        try:
            contents = reading.result(_LOOK_S).contents
        except ReadFailed as error:
            if len(blamed) >= _MAX_BLAMED:
                blamed.clear()
            blamed[mail.digest] += 1
            if blamed[mail.digest] < _MAX_LOOKS:
                return None
            del blamed[mail.digest]
            log.warning("a mail that cannot be read stays where it is: %s", plain(sentence_of(error.reason), 300))
            return False
        except (MailguardError, TimeoutError, FutureCancelled):
            reading.cancel()
            return None
        return bool(contents.reports or contents.tls_reports or contents.failure_reports)

    return is_report


class SeenInStore:
    """The memory of a mailbox, kept in the store beyond a restart; for one folder, in the mailbox's thread.

    What is remembered is written with the next look into the folder, in one transaction. While the database is away
    it is remembered in memory, and written later.
    """

    def __init__(self, filer: Filer, reader: str, now: Callable[[], float] = time.time) -> None:
        """``reader`` names what reads the mails; another one looks anew at mails in which this one saw no report."""
        self._filer = filer
        self._reader = reader
        self._now = now
        self._loop = asyncio.get_running_loop()
        self._place: Place | None = None
        self._known: set[int] = set()
        self._loaded = False
        self._unwritten: dict[int, SeenMail] = {}

    def unseen(self, place: Place, uids: Sequence[int]) -> Sequence[int]:
        """Those of ``uids`` that were not remembered, in their order."""
        if place != self._place:
            self._place, self._known, self._loaded = place, set(), False
            self._unwritten.clear()
        folder = Folder(place.user, place.host, place.folder, place.validity)
        try:
            self._synchronize(folder, uids)
        except (MailguardError, TimeoutError, FutureCancelled) as error:
            log.warning("which mails were looked at could not be noted: %s", plain(str(error), 300))
        return [uid for uid in uids if uid not in self._known]

    def remember(self, place: Place, uid: int, outcome: Outcome) -> None:
        """This mail is dealt with."""
        if place == self._place:
            self._known.add(uid)
            self._unwritten[uid] = SeenMail(uid, outcome.value, int(self._now()))

    def _synchronize(self, folder: Folder, uids: Sequence[int]) -> None:
        if not self._loaded:
            self._known |= self._do(lambda database: _load(database, folder, uids, self._reader))
            self._loaded = True
        if self._unwritten:
            mails = list(self._unwritten.values())
            self._do(lambda database: remember_seen(database, folder, mails, self._reader))
            self._unwritten.clear()

    def _do(self, job: Callable[[Database], T]) -> T:
        """With the store's connection, in the store's thread."""

        def with_store(store: Keeper) -> T:
            opened = cast(Store, store)
            try:
                return job(opened.database)
            except opened.database.trouble as error:
                raise OperationError("The database does not answer ({reason}).", reason=type(error).__name__) from error

        doing = asyncio.run_coroutine_threadsafe(self._filer.do(with_store), self._loop)
        try:
            return doing.result(_STORE_S)
        except TimeoutError:
            doing.cancel()
            raise


def _load(database: Database, folder: Folder, uids: Sequence[int], reader: str) -> set[int]:
    forget_gone(database, folder, uids)
    return load_seen(database, folder, reader)


def reader_name(settings: ReadingSettings) -> str:
    """What decides whether a report is seen in a mail: our version, and the kinds of reports that are read."""
    return __version__ + ("+failure" if settings.failure_reports else "")
