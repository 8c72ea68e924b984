"""The reports in a mailbox, batch by batch, each moved or marked once the caller has them safe.

``fetch_once`` takes what is there (for a command); ``watch.py`` goes on for ever (for the daemon). Both are thin: what
is looked at, given and concluded is decided by ``MailboxReader``.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol
from urllib.parse import quote

from mailguard.feedback.envelope import ReceivedMail, Way
from mailguard.sources.oauth import TokenSource
from mailguard.sources.session import Letter, Session
from mailguard.sources.settings import After, MailboxSettings

IsReport = Callable[[bytes], bool | None]
"""Whether a mail is ours to take; None where that cannot be told now, so that it is asked again after ``poll_s``.

Asked in a thread; must not raise.
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A folder at one time of its life: UIDs mean something only together with UIDVALIDITY (RFC 3501 2.3.1.1)."""

    user: str
    host: str
    folder: str
    validity: int

    def __str__(self) -> str:
        """As a URL (RFC 5092), for people."""
        folder = quote(self.folder, safe="/")
        return f"imap://{quote(self.user, safe='')}@{self.host}/{folder};UIDVALIDITY={self.validity}"

    def of(self, uid: int) -> str:
        """One mail in it, as a URL."""
        return f"{self}/;UID={uid}"


class Outcome(StrEnum):
    """What was decided about a mail that stays in the folder."""

    DONE = "done"
    FAILED = "failed"
    NO_REPORT = "no-report"


class Seen(Protocol):
    """The caller's memory of mails that need not be fetched again. Called in the mailbox's thread.

    It is a convenience: what it forgets is fetched again, and known by its digest. What it remembers of another
    ``validity`` of the same folder may be dropped.
    """

    def unseen(self, place: Place, uids: Sequence[int]) -> Sequence[int]:
        """Those of ``uids`` that were not remembered, in their order."""

    def remember(self, place: Place, uid: int, outcome: Outcome) -> None:
        """This mail is dealt with."""


class SeenInMemory:
    """Remembers as long as the process lives."""

    def __init__(self) -> None:
        self.outcomes: dict[tuple[Place, int], Outcome] = {}

    def unseen(self, place: Place, uids: Sequence[int]) -> Sequence[int]:
        """Those of ``uids`` that were not remembered, in their order."""
        return [uid for uid in uids if (place, uid) not in self.outcomes]

    def remember(self, place: Place, uid: int, outcome: Outcome) -> None:
        """This mail is dealt with."""
        self.outcomes[place, uid] = outcome


@dataclass(frozen=True, slots=True)
class Fetched:
    """A report mail in the mailbox."""

    uid: int
    mail: ReceivedMail


@dataclass(frozen=True, slots=True)
class Left:
    """A mail that is above ``mail_bytes`` and was left where it lies; told once in the life of a reader."""

    origin: str
    size: int


@dataclass(slots=True)
class Batch:
    """Some report mails of one folder. What is not committed is given again after ``poll_s``."""

    place: Place
    mails: tuple[Fetched, ...]
    left: tuple[Left, ...] = ()
    _outcomes: dict[int, Outcome] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Nothing to store and nothing to tell."""
        return not self.mails and not self.left

    def commit(self, uid: int, *, failed: bool = False) -> None:
        """The mail is durable in the store (or, ``failed``, in quarantine): it may be moved or marked.

        That happens in one go when the caller asks for the next batch, or stops asking. Saying it twice is once.
        """
        self._outcomes[uid] = Outcome.FAILED if failed else Outcome.DONE

    def leave(self, uid: int) -> None:
        """The mail proved to be no report after all: it stays as it is, and need not be fetched again."""
        self._outcomes[uid] = Outcome.NO_REPORT

    def committed(self, outcome: Outcome) -> tuple[int, ...]:
        """UIDs that were committed so, in the order of commits."""
        return tuple(uid for uid, said in self._outcomes.items() if said is outcome)


OpenSession = Callable[[], AbstractContextManager[Session]]


class MailboxReader:
    """Takes batches from a mailbox and concludes them, over one connection after the other. For one thread.

    Every method that talks to the server raises MailboxError; ``hang_up`` then, and the next call connects anew.
    Concluding what the caller has committed is kept for that next connection.
    """

    def __init__(
        self, settings: MailboxSettings, seen: Seen, is_report: IsReport, now: Callable[[], float] = time.time
    ) -> None:
        self._settings: Final = settings
        self._seen: Final = seen
        self._is_report: Final = is_report
        self._now: Final = now
        self._tokens: Final = TokenSource(settings.oauth) if settings.oauth else None
        self._session: Session | None = None
        self._unconcluded: Batch | None = None
        self._too_big: set[tuple[Place, int]] = set()
        self._later: dict[tuple[Place, int], float] = {}

    def __enter__(self) -> MailboxReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.hang_up()

    def next_batch(self) -> Batch | None:
        """The next mails, or None where there is nothing new. A batch may be empty: all that was new is no report.

        Bounds: ``batch_mails`` mails are looked at, and no other once ``batch_bytes`` are held.
        """
        session = self._connected()
        self._conclude_again(session)
        validity, uids = session.look()
        place = Place(self._settings.user, self._settings.host, self._settings.folder, validity)
        new = [uid for uid in self._seen.unseen(place, uids) if not self._is_waiting(place, uid)]
        return self._batch(session, place, new[: self._settings.batch_mails]) if new else None

    def conclude(self, batch: Batch) -> None:
        """Move or mark what was committed in ``batch``. What was not is given again, after ``poll_s``."""
        again = self._now() + self._settings.poll_s
        # Also the committed ones: should they not be moved in time, they are not given in between.
        self._later.update({(batch.place, fetched.uid): again for fetched in batch.mails})
        self._unconcluded = batch
        self._conclude(self._connected(), batch)
        self._unconcluded = None

    def wait(self, wake: socket.socket) -> None:
        """Until the server tells of news, ``wake`` is readable, or ``poll_s`` is over."""
        self._connected().wait(self._settings.poll_s, wake)

    def hang_up(self) -> None:
        """End the connection, if there is one."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _connected(self) -> Session:
        if self._session is None:
            self._session = Session.open(self._settings, self._tokens)
        return self._session

    def _is_waiting(self, place: Place, uid: int) -> bool:
        key = (place, uid)
        if key in self._too_big:
            return True
        again = self._later.get(key, 0.0)
        if again > self._now():
            return True
        self._later.pop(key, None)
        return False

    def _batch(self, session: Session, place: Place, uids: Sequence[int]) -> Batch:
        sizes = session.sizes(uids)
        found: list[Fetched | Left] = []
        held = 0
        for uid in uids:
            if held >= self._settings.batch_bytes:
                break
            taken = self._take(session, place, uid, sizes.get(uid, 0))
            if taken is not None:
                found.append(taken)
                held += len(taken.mail.raw) if isinstance(taken, Fetched) else 0
        mails = tuple(each for each in found if isinstance(each, Fetched))
        return Batch(place, mails, tuple(each for each in found if isinstance(each, Left)))

    def _take(self, session: Session, place: Place, uid: int, size: int) -> Fetched | Left | None:
        letter = self._fetch(session, place, uid) if size <= self._settings.mail_bytes else None
        size = max(size, len(letter.raw) if letter else 0)
        if size > self._settings.mail_bytes:
            self._too_big.add((place, uid))
            return Left(place.of(uid), size)
        if letter is None:
            return None
        is_report = self._is_report(letter.raw)
        if is_report:
            return Fetched(uid, self._received(letter, place.of(uid)))
        if is_report is None:
            self._later[place, uid] = self._now() + self._settings.poll_s
        else:
            self._seen.remember(place, uid, Outcome.NO_REPORT)
        return None

    def _fetch(self, session: Session, place: Place, uid: int) -> Letter | None:
        """None if somebody else has taken the mail away. One that the server cannot give must not keep us from the
        others, so it is asked for again only after ``poll_s``."""
        self._later[place, uid] = self._now() + self._settings.poll_s
        letter = session.fetch(uid)
        if letter is not None:
            del self._later[place, uid]
        return letter

    def _received(self, letter: Letter, origin: str) -> ReceivedMail:
        now = int(self._now())
        # A clock that is wrong at the server must not put the mail into the future.
        arrived_at = min(now, letter.arrived_at) if letter.arrived_at else now
        return ReceivedMail(letter.raw, arrived_at, way=Way.MAILBOX, origin=origin)

    def _conclude_again(self, session: Session) -> None:
        """Over a new connection, what the last one could not. Only once: otherwise a server that lets us read but not
        move would keep us from reading. Its mails are given again in time, and then moved or not."""
        batch, self._unconcluded = self._unconcluded, None
        if batch is not None:
            self._conclude(session, batch)

    def _conclude(self, session: Session, batch: Batch) -> None:
        done, failed = batch.committed(Outcome.DONE), batch.committed(Outcome.FAILED)
        self._mark(session, batch.place, done, failed)
        for uid in batch.committed(Outcome.NO_REPORT):
            self._seen.remember(batch.place, uid, Outcome.NO_REPORT)
        # A mail that was moved is not there to be remembered.
        if self._settings.after is not After.MOVE:
            for outcome, uids in ((Outcome.DONE, done), (Outcome.FAILED, failed)):
                for uid in uids:
                    self._seen.remember(batch.place, uid, outcome)

    def _mark(self, session: Session, place: Place, done: tuple[int, ...], failed: tuple[int, ...]) -> None:
        if self._settings.after is After.MOVE:
            session.move(place.validity, done, self._settings.done_folder)
            session.move(place.validity, failed, self._settings.failed_folder)
        elif self._settings.after is After.FLAG:
            session.flag(place.validity, done, [r"\Seen"])
            session.flag(place.validity, failed, [r"\Seen", r"\Flagged"])


def fetch_once(
    settings: MailboxSettings, seen: Seen, is_report: IsReport, now: Callable[[], float] = time.time
) -> Iterator[Batch]:
    """Batches until there is nothing new, over one connection. Commit each mail before asking for the next batch.

    Raises MailboxError; what was committed but not moved by then is given again next time. UsageError for settings.
    """
    with MailboxReader(settings, seen, is_report, now) as reader:
        while batch := reader.next_batch():
            if batch.is_empty:
                continue
            try:
                yield batch
            finally:
                reader.conclude(batch)
