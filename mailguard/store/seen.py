"""The memory of mails that were looked at in mailboxes, so that a restart does not fetch them all again.

It is a convenience: what is forgotten is fetched again, and known by its digest. An entry holds for the reader that
made it; another one (a later version, or one that was told to read more) looks at mails without a report once more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from hashlib import sha256

from mailguard.store.database import Database

NO_REPORT = "no-report"
"""The outcome that another reader may see otherwise."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of a mailbox in one time of its life (RFC 3501 2.3.1.1: UIDs mean something only with UIDVALIDITY)."""

    user: str
    host: str
    name: str
    validity: int

    @property
    def key(self) -> bytes:
        """What the folder is known by, of whatever length its names are."""
        return sha256("\0".join((self.user, self.host, self.name)).encode("utf-8", "replace")).digest()


@dataclass(frozen=True, slots=True)
class SeenMail:
    """A mail that need not be fetched again; ``remembered_at`` is POSIX seconds."""

    uid: int
    outcome: str
    remembered_at: int


def load_seen(database: Database, folder: Folder, reader: str) -> set[int]:
    """The UIDs that this reader need not fetch again."""
    rows = database.rows(
        "SELECT uid FROM mailbox_mail WHERE folder = ? AND validity = ? AND (reader = ? OR outcome <> ?)",
        (folder.key, folder.validity, reader, NO_REPORT),
    )
    return {uid for (uid,) in rows}


def remember_seen(database: Database, folder: Folder, mails: Iterable[SeenMail], reader: str) -> None:
    """Remember mails, in one transaction. Doing it again renews the entry. Raises the driver's errors."""
    with database.transaction():
        for mail in mails:
            database.run(
                "INSERT INTO mailbox_mail (folder, validity, uid, outcome, reader, remembered_at) "
                "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (folder, validity, uid) DO UPDATE SET "
                "outcome = excluded.outcome, reader = excluded.reader, remembered_at = excluded.remembered_at",
                (folder.key, folder.validity, mail.uid, mail.outcome, reader, mail.remembered_at),
            )


def forget_gone(database: Database, folder: Folder, present: Collection[int]) -> int:
    """Forget mails that are no longer in the folder, and other times of its life; how many entries it was."""
    with database.transaction():
        gone = database.run(
            "DELETE FROM mailbox_mail WHERE folder = ? AND validity <> ?", (folder.key, folder.validity)
        )
        rows = database.rows(
            "SELECT uid FROM mailbox_mail WHERE folder = ? AND validity = ?", (folder.key, folder.validity)
        )
        there = frozenset(present)
        for (uid,) in rows:
            if uid not in there:
                database.run(
                    "DELETE FROM mailbox_mail WHERE folder = ? AND validity = ? AND uid = ?",
                    (folder.key, folder.validity, uid),
                )
                gone += 1
        return gone
