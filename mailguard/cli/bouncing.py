"""Carrying out ``mailguard guide bounces``: mails that came back, out of files or a mailbox, into the outbox."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from mailguard.cli.exits import FINDINGS, OK
from mailguard.cli.speaking import say
from mailguard.errors import UsageError
from mailguard.render.safe import visible
from mailguard.sending.bounces import Noted, is_bounce, note_bounce
from mailguard.sending.outbox import Outbox
from mailguard.sending.settings import SendSettings, load_send_settings
from mailguard.sources.files import NotRead, read_sources
from mailguard.sources.mailbox import SeenInMemory, fetch_once
from mailguard.worker.document import from_not_read

if TYPE_CHECKING:
    from mailguard.sending.values import Message


def note_all(sender: str, paths: tuple[str, ...], *, mailbox: bool) -> int:
    """Note everything that came back; the exit code. Raises UsageError, and OperationError for mailbox or disk."""
    settings = load_send_settings(sender)
    for path in paths:
        if path != "-" and not os.path.lexists(path):
            raise UsageError("{path} does not exist; check the path.", path=path)
    if mailbox and settings.bounces is None:
        raise UsageError("{file} names no mailbox for mails that came back; add a table [bounces].", file=sender)
    with closing(Outbox.open(settings.outbox)) as outbox:
        whole = _from_files(outbox, paths)
        if mailbox:
            _from_mailbox(outbox, settings)
    return OK if whole else FINDINGS


def _from_files(outbox: Outbox, paths: tuple[str, ...]) -> bool:
    whole = True
    for found in read_sources(paths, sys.stdin.buffer):
        if isinstance(found, NotRead):
            whole = False
            told = from_not_read(found)["reason"].told(say)
            click.echo(f"mailguard: {visible(found.origin)}: {told}", err=True)
        else:
            _tell(found.origin, *note_bounce(outbox, found.raw, _now()))
    return whole


def _from_mailbox(outbox: Outbox, settings: SendSettings) -> None:
    """Only notifications are taken; one that names no mail of ours goes to the folder for failed ones."""
    assert settings.bounces is not None
    for batch in fetch_once(settings.bounces, SeenInMemory(), is_bounce):
        for fetched in batch.mails:
            noted, message = note_bounce(outbox, fetched.mail.raw, _now())
            batch.commit(fetched.uid, failed=message is None)
            _tell(fetched.mail.origin, noted, message)


def _tell(origin: str, noted: Noted, message: Message | None) -> None:
    place = visible(origin if message is None else f"{message.domain}, {message.recipient}")
    click.echo(f"{place}: {_words(noted)}")


def _words(noted: Noted) -> str:
    match noted:
        case Noted.BOUNCED:
            return say("came back for good; this address gets nothing more")
        case Noted.SOFT:
            return say("late, or came back for a reason that may pass; noted")
        case Noted.KNOWN:
            return say("known already")
        case Noted.NOT_OURS:
            return say("names no mail of this outbox")
        case Noted.NO_BOUNCE:
            return say("is no notice of a mail that came back")


def _now() -> datetime:
    return datetime.now(UTC)
