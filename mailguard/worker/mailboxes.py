"""Reports from a mailbox: each is moved or marked once what was read of it is safe."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from contextlib import aclosing
from typing import Final

from mailguard.errors import MailguardError, OperationError
from mailguard.feedback.envelope import ReceivedMail, Way
from mailguard.sources.mailbox import Batch, Fetched, SeenInMemory
from mailguard.sources.settings import MailboxSettings
from mailguard.sources.watch import watch
from mailguard.worker.filer import StoreAway
from mailguard.worker.handling import Handled, Handler, MailOutcome
from mailguard.worker.readers import Readers, ReadFailed
from mailguard.worker.telling import plain, tell

log = logging.getLogger(__name__)

_LOOK_S: Final = 120.0
_HEAD_BYTES: Final = 64 * 1024

# RFC 9990 3.5.3 and RFC 8460 5.3: what a report's subject says, and no other mail's.
_SUBJECT: Final = re.compile(rb"^subject:[^\n]{0,200}\breport[ \t]domain:", re.IGNORECASE | re.MULTILINE)


async def watch_mailbox(settings: MailboxSettings, handler: Handler, *, told: Callable[[Handled], None] = tell) -> None:
    """Take reports out of a mailbox, for ever. Never raises for what the mail server does."""

    def trouble(error: MailguardError, pause_s: float) -> None:
        log.warning("the mailbox will be asked again in %d s: %s", int(pause_s), plain(str(error), 400))

    is_report = recogniser(handler.readers)
    async with aclosing(watch(settings, SeenInMemory(), is_report, trouble)) as batches:
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
    told(handled)
    batch.commit(fetched.uid, failed=handled.outcome is MailOutcome.QUARANTINED)


def recogniser(readers: Readers) -> Callable[[bytes], bool]:
    """Says for a mail whether it is a report, from the thread of a mailbox. Reads it in a reading process.

    A mail in which no report can be read counts as one only if its subject says so: whatever else lies in the mailbox
    is none of our business.
    """
    loop = asyncio.get_running_loop()

    def is_report(raw: bytes) -> bool:
        if _SUBJECT.search(raw[:_HEAD_BYTES].replace(b"\r\n", b"\n").partition(b"\n\n")[0]):
            return True
        reading = asyncio.run_coroutine_threadsafe(readers.read(ReceivedMail(raw, 0, way=Way.MAILBOX)), loop)
        try:
            contents = reading.result(_LOOK_S).contents
        except (ReadFailed, MailguardError, TimeoutError, asyncio.CancelledError):
            reading.cancel()
            return False
        return bool(contents.reports or contents.tls_reports)

    return is_report
