"""``Store``: the way in to everything that is kept. ``open_store`` for who writes, ``open_reader`` for who asks."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mailguard.errors import OperationError, Sentence
from mailguard.store import audits, filing, other_questions, reports, reprocess, traffic, upkeep
from mailguard.store.database import Database
from mailguard.store.migrate import check_schema, schema_of, upgrade
from mailguard.store.other_questions import FailureRow, TlsRow, TlsSum
from mailguard.store.place import check_place, db_command, is_postgresql
from mailguard.store.reports import (
    DayRow,
    KnownReporter,
    ReporterRow,
    ReportRow,
    SelectorRow,
    SourceRow,
    Window,
)
from mailguard.store.reprocess import Kept, Reread
from mailguard.store.upkeep import Kind
from mailguard.store.values import Filed, Stored
from mailguard.trust.grade import Grade


class Reader:
    """Questions to a store. For one thread at a time; every method may raise OperationError."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self.database.close()

    @property
    def place(self) -> str:
        """Where the store is, for people."""
        return self.database.place

    def sources(self, window: Window) -> list[SourceRow]:
        """Every source of a window, busiest first."""
        with self._asking():
            return reports.load_sources(self.database, window)

    def reporters(self, window: Window) -> list[ReporterRow]:
        """Every reporter of a window, busiest first."""
        with self._asking():
            return reports.load_reporters(self.database, window)

    def days(self, window: Window) -> list[DayRow]:
        """The daily series of a window, oldest first."""
        with self._asking():
            return reports.load_days(self.database, window)

    def selectors(self, window: Window) -> list[SelectorRow]:
        """The DKIM selectors seen in a window, busiest first."""
        with self._asking():
            return reports.load_selectors(self.database, window)

    def own_selectors(self, window: Window) -> tuple[str, ...]:
        """Selectors that the window's domain itself signed with, busiest first: an audit can ask for their keys."""
        return tuple(row.selector for row in self.selectors(window) if row.domain == window.domain)

    def known_reporters(self, least: Grade = Grade.VERIFIED) -> list[KnownReporter]:
        """Every domain that has ever reported."""
        with self._asking():
            return reports.load_known_reporters(self.database, least)

    def count_unverified(self, window: Window) -> int:
        """Reports of a window whose sender is not proved: they count for nothing."""
        with self._asking():
            return traffic.count_unverified(self.database, window)

    def results(self, window: Window, limit: int) -> list[tuple[str, str]]:
        """Sources with what reporters say that their mail authenticated as (JSON), busiest first."""
        with self._asking():
            return traffic.load_results(self.database, window, limit)

    def daily_sources(self, window: Window) -> list[tuple[int, str, int]]:
        """Day, source and messages of a window."""
        with self._asking():
            return traffic.load_daily(self.database, window)

    def audit_before(self, domain: str, moment: datetime) -> dict[str, Any] | None:
        """The last audit of a domain that was kept before a moment."""
        with self._asking():
            return audits.audit_before(self.database, domain, moment)

    def list_audits(self, domain: str = "") -> list[tuple[str, int]]:
        """Domain and moment of every audit that is kept."""
        with self._asking():
            return audits.list_audits(self.database, domain)

    def known_names(self) -> list[tuple[str, str]]:
        """Names with the domains that are proved to have reported under them, also in TLS reports."""
        with self._asking():
            return reports.load_known_names(self.database)

    def list_reports(self, window: Window | None = None, *, limit: int = 100) -> list[ReportRow]:
        """The reports of a window, or of all time and every grade; the last received first."""
        with self._asking():
            return reports.list_reports(self.database, window, limit=limit)

    def show_report(self, number: int) -> dict[str, Any] | None:
        """Everything about one report; ``None`` when there is none of that number."""
        with self._asking():
            return reports.show_report(self.database, number)

    def count_read_in_part(self) -> int:
        """Mails with a report that was read and a file that could not be."""
        with self._asking():
            return reports.count_read_in_part(self.database)

    def records(self, window: Window) -> Generator[dict[str, Any], None, None]:
        """Every record of a window, one by one."""
        with self._asking():
            yield from reports.stream_records(self.database, window)

    def list_tls(self, window: Window | None = None, *, limit: int = 100) -> list[TlsRow]:
        """The TLS reports of a window, or of all time and every grade; the last received first."""
        with self._asking():
            return other_questions.list_tls(self.database, window, limit=limit)

    def show_tls(self, number: int) -> dict[str, Any] | None:
        """Everything about one TLS report; ``None`` when there is none of that number."""
        with self._asking():
            return other_questions.show_tls(self.database, number)

    def tls_policies(self, window: Window) -> Generator[dict[str, Any], None, None]:
        """Every policy of the TLS reports of a window, one by one."""
        with self._asking():
            yield from other_questions.stream_tls(self.database, window)

    def tls_sums(self, window: Window) -> list[TlsSum]:
        """What happened to sessions in a window, by domain and type of policy."""
        with self._asking():
            return other_questions.load_tls_sums(self.database, window)

    def list_failures(self, window: Window | None = None, *, limit: int = 100) -> list[FailureRow]:
        """The failure reports of a window, or of all time and every grade; the last received first."""
        with self._asking():
            return other_questions.list_failures(self.database, window, limit=limit)

    def show_failure(self, number: int) -> dict[str, Any] | None:
        """Everything that is kept of one failure report; ``None`` when there is none of that number."""
        with self._asking():
            return other_questions.show_failure(self.database, number)

    def failures(self, window: Window) -> Generator[dict[str, Any], None, None]:
        """Every failure report of a window, one by one."""
        with self._asking():
            yield from other_questions.stream_failures(self.database, window)

    def check(self) -> list[Sentence]:
        """What is wrong with the store; reads everything."""
        with self._asking():
            return list(upkeep.check(self.database))

    @contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            yield
        except self.database.trouble as error:
            raise OperationError(
                "The database {place} could not be asked ({reason}); try again, then run: {command}",
                place=self.place,
                reason=self.database.why(error),
                command=db_command("check", self.place),
            ) from error


class Store(Reader):
    """A store that can be written to."""

    def add(self, batch: Sequence[Filed]) -> tuple[Stored, ...]:
        """Store mails and the reports in them, all in one transaction; on the disk on return.

        Doing it again changes nothing. Raises OperationError when the database will not have it; then nothing of the
        batch was stored, and trying again may help.
        """
        told = Sentence("What was received could not be stored in {place} ({reason}); nothing of it was kept.")
        with self._writing(told), self.database.transaction():
            return filing.add(self.database, batch)

    def prune(self, kind: Kind, before: int) -> int:
        """Delete what is of a kind and older than ``before`` (POSIX seconds); how many rows it was."""
        told = Sentence("Nothing could be deleted from {place} ({reason}); try again.")
        with self._writing(told):
            return upkeep.prune(self.database, kind, before)

    def keep_audit(self, document: dict[str, Any]) -> bool:
        """Keep an audit for comparison; False when it is there already."""
        told = Sentence(
            "The audit of {domain} could not be kept in {place}, to be compared with later ones ({reason}); try again."
        )
        with self._writing(told, domain=document["domain"]):
            return audits.keep_audit(self.database, document)

    def list_kept(self) -> list[int]:
        """The numbers of the mails that are kept, the first received first."""
        with self._asking():
            return reprocess.list_kept(self.database)

    def count_gone(self) -> int:
        """Mails of which reports are stored, and whose bytes are not kept any more."""
        with self._asking():
            return reprocess.count_gone(self.database)

    def load_kept(self, mail_id: int) -> Kept | None:
        """One of them; None if its time is over meanwhile."""
        with self._asking():
            return reprocess.load_kept(self.database, mail_id)

    def reread(self, kept: Kept, filed: Filed, told: Reread, *, regrade: bool = False) -> None:
        """Put a new reading of a kept mail in the place of the old one; with ``regrade`` its grades too."""
        sentence = Sentence("The new reading of a mail could not be stored in {place} ({reason}); the old one stays.")
        with self._writing(sentence):
            reprocess.reread(self.database, kept, filed, told, regrade=regrade)

    @contextmanager
    def _writing(self, told: Sentence, **fields: object) -> Iterator[None]:
        """``told`` says what was not done, with ``fields`` and why."""
        try:
            yield
        except self.database.trouble as error:
            raise OperationError(told, place=self.place, reason=self.database.why(error), **fields) from error


def open_store(place: str | Path, *, create: bool = True) -> Store:
    """Open a store for writing: a path, or the URL of a PostgreSQL database (``postgresql://...``).

    A database that is empty gets its tables; with ``create`` false it has to be there. Raises
    OperationError when it cannot be opened or has the schema of another version, UsageError for an address that is
    neither.
    """
    if not create:
        open_reader(place).close()
    store = Store(connect(place))
    try:
        with store._writing(
            Sentence("The tables of the database {place} could not be made or read ({reason}); try again.")
        ):
            if not schema_of(store.database):
                upgrade(store.database)
            check_schema(store.database)
    except BaseException:
        store.close()
        raise
    return store


def open_reader(place: str | Path) -> Reader:
    """Open a store that is there, for questions only. Raises as ``open_store`` does."""
    reader = Reader(connect(place, write=False))
    try:
        with reader._asking():
            check_schema(reader.database)
    except BaseException:
        reader.close()
        raise
    return reader


def connect(place: str | Path, *, write: bool = True) -> Database:
    """A connection to whatever stands at ``place``, without a look at its schema."""
    text = str(place)
    check_place(text)
    if is_postgresql(text):
        from mailguard.store import postgresql

        return postgresql.connect(text, write=write)
    from mailguard.store import sqlite

    path = Path(text.removeprefix("sqlite:///"))
    return sqlite.connect_for_writing(path) if write else sqlite.connect_for_reading(path)
