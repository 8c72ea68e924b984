"""Whose a mail is: what the reports in it are about, whether or not they were filed from this copy of it.

Mails are read in the processes that read what comes in, within the same bounds. One that cannot be read, or holds no
report, is taken for a client's where its subject or the name of a file in it says so, as those of report mails do
(RFC 9990 section 3.5.2).
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mailguard.feedback.envelope import ReceivedMail
from mailguard.feedback.mail import MailContents
from mailguard.spool.frames import decode_file
from mailguard.store import clients
from mailguard.store.clients import Client, Mails
from mailguard.store.database import Database
from mailguard.store.reprocess import load_kept
from mailguard.worker.readers import Readers, ReadFailed
from mailguard.worker.wire import ReadingSettings

_READING: Final = ReadingSettings(failure_reports=True)
_MAIL_S: Final = 60.0
"""Nobody waits for a mail that comes in, and a busy machine must not make a mail nobody's."""

_AHEAD: Final = 8
_MAX_NAMES: Final = 1_000
"""Subjects and names of files that are looked at in one mail."""

_TELLING = re.compile(
    rb"^subject:(?:[^\n]*\n[ \t])*[^\n]*|\bname\*?[0-9*]*=(?:[^\n]*\n[ \t])*[^\n]*", re.IGNORECASE | re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Told:
    """What a mail tells of: the domains that its reports are about, else the texts that may name one."""

    domains: frozenset[str] = frozenset()
    texts: str = ""

    def is_of(self, client: Client) -> bool:
        """Whether something in it is about the client."""
        return any(map(client.owns, self.domains)) or (not self.domains and client.named_in(self.texts))

    def is_of_others(self, client: Client) -> bool:
        """Whether something in it is about somebody else."""
        return not all(map(client.owns, self.domains))


async def find_mails(database: Database, client: Client) -> Mails:
    """The mails of a client in the database. Raises the driver's errors, OperationError where no mail can be read."""
    by_rows = clients.linked(database, client)
    own, shared = set(by_rows.own), set(by_rows.shared)
    async with Readers(_READING, mail_s=_MAIL_S) as readers:
        async for number, told in _told(database, readers, [*by_rows.own, *clients.loose(database)]):
            if not (number in own or told.is_of(client)):
                continue
            own.discard(number)
            (shared if told.is_of_others(client) else own).add(number)
    return Mails(tuple(sorted(own)), tuple(sorted(shared)))


async def find_files(files: Iterable[Path], client: Client) -> list[Path]:
    """Those files of the spool that hold a mail of the client. What is gone meanwhile is left out."""
    found = []
    async with Readers(_READING, mail_s=_MAIL_S) as readers:
        for file in files:
            try:
                mails = decode_file(file.read_bytes()).mails
            except FileNotFoundError:
                continue
            if any([(await _read(readers, mail)).is_of(client) for mail in mails]):
                found.append(file)
    return found


async def _told(database: Database, readers: Readers, numbers: Iterable[int]) -> AsyncIterator[tuple[int, Told]]:
    """What each mail tells of, a few being read at a time."""
    waiting = iter(numbers)
    window: deque[tuple[int, asyncio.Task[Told]]] = deque()
    try:
        while True:
            while len(window) < _AHEAD and (number := next(waiting, None)) is not None:
                window.append((number, asyncio.create_task(_of_kept(database, readers, number))))
            if not window:
                return
            number, task = window.popleft()
            yield number, await task
    finally:
        for _, task in window:
            task.cancel()


async def _of_kept(database: Database, readers: Readers, number: int) -> Told:
    texts = clients.told_of(database, number)
    kept = load_kept(database, number)
    if kept is None:
        return Told(texts=texts)
    told = await _read(readers, kept.mail)
    return Told(told.domains, f"{told.texts}\n{texts}")


async def _read(readers: Readers, mail: ReceivedMail) -> Told:
    domains: frozenset[str] = frozenset()
    # Twice: a process that was in trouble for another reason must not hide whose a mail is.
    for _ in range(2):
        with suppress(ReadFailed):
            domains = frozenset(_domains((await readers.read(mail)).contents))
            break
    return Told(domains, "" if domains else f"{mail.origin}\n{_texts(mail.raw)}")


def _domains(contents: MailContents) -> Iterator[str]:
    yield from (report.policy.domain for report in contents.reports)
    yield from (policy.domain for report in contents.tls_reports for policy in report.policies)
    for report in contents.failure_reports:
        # As in the store: who is not named is told by the author or the signer.
        told = (report.reported_domain,) if report.reported_domain else (report.mail_from_domain, report.dkim_domain)
        yield from filter(None, told)


def _texts(raw: bytes) -> str:
    """Subjects and names of files, those of attached mails too."""
    found = (match[0] for match, _ in zip(_TELLING.finditer(raw), range(_MAX_NAMES), strict=False))
    return b"\n".join(found).decode("utf-8", "replace")
