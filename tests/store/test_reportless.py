"""Mails of which no report is stored: counted, and let go in the order of what they are worth."""

from __future__ import annotations

from dataclasses import replace

from mailguard.feedback.mail import MailContents
from mailguard.feedback.report import Unreadable
from mailguard.store import Filed, Store
from mailguard.store.upkeep import check
from mailguard.store.upkeep_bounds import Holding, held_since, make_room
from tests.store import samples
from tests.store.test_other_reports import tls, tls_mail

NOTHING = MailContents((), ())
BROKEN = MailContents((), (Unreadable("a.xml", "ratio"),))
PASSED = '{"author":"reporter.example","dmarc":"pass"}'
SPOOFED = '{"author_address":"\\"dmarc\\":\\"pass\\"@b.example","dmarc":"fail"}'


def letter(name: str, contents: MailContents = NOTHING, account: str = "") -> Filed:
    return replace(samples.filed_as(name.encode(), contents), authentication=account)


def left(store: Store) -> list[str]:
    names = {letter(name).mail.digest: name for name in ("broken", "known", "old", "spoofed", "new")}
    return [
        names.get(bytes(digest), "report") for (digest,) in store.database.rows("SELECT sha256 FROM mail ORDER BY id")
    ]


def test_what_is_worth_least_goes_first_and_no_mail_with_a_report(store: Store) -> None:
    report = samples.report(samples.record())
    store.add(
        [
            samples.filed(report),
            tls_mail(tls()),
            letter("broken", BROKEN),
            letter("known", account=PASSED),
            letter("old"),
            letter("spoofed", account=SPOOFED),
            letter("new"),
        ]
    )
    store.add([samples.filed(replace(report, digest=b"x" * 32), raw=b"a conflict")])
    kept = ["report"]
    order = ["old", "spoofed", "new", "known", "broken"]
    for gone in range(1, 6):
        dropped = make_room(store.database, Holding.REPORTLESS, 1)
        assert dropped.mails == 1
        assert dropped.size >= 500
        assert sorted(set(left(store))) == sorted({*kept, *order[gone:]})
    assert make_room(store.database, Holding.REPORTLESS, 1).mails == 0
    assert left(store) == ["report"] * 3
    assert list(check(store.database)) == []


def test_counting_goes_on_where_it_ended(store: Store) -> None:
    store.add([letter("old"), letter("new")])
    first = held_since(store.database, Holding.REPORTLESS, 0)
    assert (first.mails, held_since(store.database, Holding.REPORTLESS, first.last).mails) == (2, 0)
    store.add([letter("known"), samples.filed(samples.report(samples.record()))])
    assert held_since(store.database, Holding.REPORTLESS, first.last).mails == 1


def test_as_much_goes_as_is_asked_for(store: Store) -> None:
    store.add([letter(f"{number:05d}") for number in range(20)])
    held = held_since(store.database, Holding.REPORTLESS, 0)
    gone = make_room(store.database, Holding.REPORTLESS, held.size // 2)
    rest = held_since(store.database, Holding.REPORTLESS, 0)
    assert held.size == gone.size + rest.size
    assert 0.4 * held.size < rest.size <= held.size / 2
