"""Which mails of a mailbox were looked at: remembered beyond a restart, and forgotten when they are gone."""

from __future__ import annotations

import pytest

from mailguard.store import Store
from mailguard.store.seen import Folder, SeenMail, forget_gone, load_seen, remember_seen
from mailguard.store.upkeep import Kind

INBOX = Folder("u", "imap.example.jp", "INBOX", 1)
NOW = 1_790_000_000


def seen(uid: int, outcome: str = "done", at: int = NOW) -> SeenMail:
    return SeenMail(uid, outcome, at)


def test_what_was_seen_is_remembered(store: Store) -> None:
    remember_seen(store.database, INBOX, [seen(1), seen(7, "no-report")], "a")
    remember_seen(store.database, INBOX, [seen(7, "no-report")], "a")
    assert load_seen(store.database, INBOX, "a") == {1, 7}


def test_another_reader_looks_again_at_what_was_no_report(store: Store) -> None:
    remember_seen(store.database, INBOX, [seen(1), seen(2, "failed"), seen(7, "no-report")], "a")
    assert load_seen(store.database, INBOX, "b") == {1, 2}


@pytest.mark.parametrize(
    "other",
    [
        Folder("v", "imap.example.jp", "INBOX", 1),
        Folder("u", "imap.example.com", "INBOX", 1),
        Folder("u", "imap.example.jp", "Reports", 1),
        Folder("u", "imap.example.jp", "INBOX", 2),
        Folder("u", "imap.example.jp", "I" * 100_000, 1),
    ],
)
def test_every_folder_has_its_own_memory(store: Store, other: Folder) -> None:
    remember_seen(store.database, INBOX, [seen(1)], "a")
    assert load_seen(store.database, other, "a") == set()
    remember_seen(store.database, other, [seen(2)], "a")
    assert load_seen(store.database, INBOX, "a") == {1}


def test_mails_that_are_gone_are_forgotten(store: Store) -> None:
    earlier, elsewhere = Folder("u", "imap.example.jp", "INBOX", 0), Folder("u", "imap.example.jp", "Other", 1)
    for folder in (INBOX, earlier, elsewhere):
        remember_seen(store.database, folder, [seen(1), seen(2)], "a")
    assert forget_gone(store.database, INBOX, [2, 3]) == 3
    assert load_seen(store.database, INBOX, "a") == {2}
    assert load_seen(store.database, earlier, "a") == set()
    assert load_seen(store.database, elsewhere, "a") == {1, 2}


def test_the_memory_has_its_time(store: Store) -> None:
    remember_seen(store.database, INBOX, [seen(1), seen(2, at=NOW + 10)], "a")
    assert store.prune(Kind.MAILBOX, NOW + 10) == 1
    assert load_seen(store.database, INBOX, "a") == {2}
