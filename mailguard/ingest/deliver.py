"""From a received mail to rows in the database, before the sender is told that it was accepted.

The mail itself is stored with what could be read of it, also when that is nothing: what was accepted is not lost.
"""

from __future__ import annotations

import asyncio
from typing import Final

from mailguard.feedback.envelope import ReceivedMail
from mailguard.feedback.limits import DEFAULT_LIMITS, Limits
from mailguard.feedback.mail import read_mail
from mailguard.ingest.listener import Deliver
from mailguard.store.values import Filed
from mailguard.store.writer import Writer
from mailguard.trust.grade import UNVERIFIED

_READ_AT_ONCE: Final = 2
"""Mails that are read side by side; each may take a few hundred megabytes for a moment."""


def into_store(writer: Writer, limits: Limits = DEFAULT_LIMITS) -> Deliver:
    """A ``deliver`` for the listener that reads each mail in a thread and stores it. Raises what the writer raises."""
    turns = asyncio.Semaphore(_READ_AT_ONCE)

    async def deliver(mail: ReceivedMail) -> None:
        async with turns:
            contents = await asyncio.to_thread(read_mail, mail.raw, limits)
        # Nobody has looked yet at who sent it, so it counts for nothing until somebody does.
        await writer.add([Filed(mail, contents, (UNVERIFIED,) * len(contents.reports))])

    return deliver
