"""The spool's folders as a worker and an operator use them."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.feedback.envelope import ReceivedMail
from mailguard.spool import Reason, Shelf, SpoolError
from mailguard.spool.reason import decode_reason
from tests.spool.mails import mail


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    made = Shelf(tmp_path / "spool")
    made.prepare()
    return made


def files(shelf: Shelf) -> dict[str, int]:
    return {folder.name: len(list(folder.iterdir())) for folder in (shelf.new, shelf.work, shelf.kept, shelf.tmp)}


def claim(shelf: Shelf) -> Path:
    file = shelf.claim()
    assert file is not None
    return file


def test_mails_are_claimed_oldest_first_read_and_forgotten(shelf: Shelf) -> None:
    shelf.put([mail("one"), mail("two")])
    shelf.put([mail("three")])
    first, second = claim(shelf), claim(shelf)
    assert shelf.read(first).mails == (mail("one"), mail("two"))
    assert shelf.read(second).mails == (mail("three"),)
    assert shelf.claim() is None
    for file in (first, second, second):
        shelf.done(file)
    assert files(shelf) == {"new": 0, "work": 0, "quarantine": 0, "tmp": 0}


def test_only_its_owner_can_read_what_lies_there(shelf: Shelf) -> None:
    path = shelf.put([mail()])
    assert path.stat().st_mode & 0o777 == 0o600
    assert {folder.stat().st_mode & 0o777 for folder in (shelf.path, shelf.new, shelf.kept)} == {0o700}


def test_two_workers_never_claim_the_same_file(shelf: Shelf) -> None:
    for number in range(20):
        shelf.put([mail(str(number))])
    other = Shelf(shelf.path)
    claimed = [one.claim() for _ in range(11) for one in (shelf, other)]
    assert len({file for file in claimed if file}) == 20
    assert claimed[20:] == [None, None]


def test_what_comes_while_files_are_claimed_is_claimed_too(shelf: Shelf) -> None:
    shelf.put([mail("one")])
    claim(shelf)
    shelf.put([mail("two")])
    assert shelf.read(claim(shelf)).mails == (mail("two"),)


def test_files_that_are_not_ours_are_left_alone(shelf: Shelf) -> None:
    (shelf.new / "notes.txt").write_text("by hand")
    assert shelf.claim() is None


def test_how_often_a_file_was_claimed_outlives_the_process(shelf: Shelf) -> None:
    shelf.put([mail()])
    for tries in (1, 2, 3):
        file = claim(shelf)
        assert shelf.tries(file) == tries
        shelf.recover() if tries == 1 else shelf.give_back(file)
        shelf = Shelf(shelf.path)


def test_recovery_removes_drafts_and_gives_back_what_was_claimed(shelf: Shelf) -> None:
    shelf.put([mail("one")])
    claim(shelf)
    (shelf.tmp / "half").write_bytes(b"mailgu")
    shelf.recover()
    shelf.recover()
    assert files(shelf) == {"new": 1, "work": 0, "quarantine": 0, "tmp": 0}
    assert shelf.read(claim(shelf)).mails == (mail("one"),)


def test_giving_back_twice_changes_nothing(shelf: Shelf) -> None:
    shelf.put([mail()])
    file = claim(shelf)
    shelf.give_back(file)
    shelf.give_back(file)
    assert files(shelf) == {"new": 1, "work": 0, "quarantine": 0, "tmp": 0}


def test_a_mail_in_quarantine_is_listed_shown_and_retried(shelf: Shelf) -> None:
    id = shelf.quarantine(mail("poison"), Reason("ended-us"))
    (entry,) = shelf.list_quarantine()
    assert (entry.id, entry.reason, entry.peer) == (id, Reason("ended-us"), "192.0.2.1")
    assert (entry.size, entry.digest) == (len(mail("poison").raw), mail("poison").digest.hex())
    assert shelf.load_quarantined(id).mails == (mail("poison"),)
    shelf.retry(id)
    assert list(shelf.list_quarantine()) == []
    assert shelf.read(claim(shelf)).mails == (mail("poison"),)
    with pytest.raises(SpoolError, match="nothing in quarantine"):
        shelf.retry(id)


def test_a_mail_is_put_into_quarantine_once(shelf: Shelf) -> None:
    assert shelf.quarantine(mail(), Reason("first")) == shelf.quarantine(mail(), Reason("second"))
    assert [entry.reason for entry in shelf.list_quarantine()] == [Reason("first")]
    shelf.quarantine(mail("other"), Reason("third"))
    assert files(shelf)["quarantine"] == 4


def test_a_damaged_file_is_kept_whole(shelf: Shelf) -> None:
    path = shelf.put([mail("one"), mail("two")])
    path.write_bytes(path.read_bytes()[:-3])
    file = claim(shelf)
    batch = shelf.read(file)
    assert batch.mails == (mail("one"),)
    id = shelf.quarantine_file(file, batch.damage[0])
    (entry,) = shelf.list_quarantine()
    assert (entry.whole_file, entry.reason) == (True, Reason("mail-cut-off", {"number": 2, "count": 2}))
    assert shelf.load_quarantined(id) == batch
    assert files(shelf)["work"] == 0


def test_a_mail_whose_note_is_lost_is_listed_all_the_same(shelf: Shelf) -> None:
    id = shelf.quarantine(mail(), Reason("why"))
    (shelf.kept / f"{id}.reason.json").write_text("{")
    (entry,) = shelf.list_quarantine()
    assert (entry.id, entry.whole_file) == (id, False)
    shelf.discard(id)
    assert files(shelf)["quarantine"] == 0


REASONS = st.builds(
    Reason,
    st.text(max_size=30),
    st.dictionaries(st.text(max_size=10), st.integers() | st.text(max_size=600), max_size=5),
)


@given(reason=REASONS)
def test_a_reason_comes_back_from_its_note_as_it_was(reason: Reason) -> None:
    assert decode_reason(json.loads(json.dumps(asdict(reason)))) == reason


def test_the_note_of_an_earlier_version_can_still_be_read(shelf: Shelf) -> None:
    id = shelf.quarantine(mail(), Reason("why"))
    note = shelf.kept / f"{id}.reason.json"
    note.write_text(json.dumps({**json.loads(note.read_text()), "reason": "Reading this mail took too long."}))
    (entry,) = shelf.list_quarantine()
    assert (entry.reason, entry.peer) == (Reason("earlier", {"text": "Reading this mail took too long."}), "192.0.2.1")


BAD_REASONS = [
    None,
    3,
    [],
    {},
    {"id": 1},
    {"id": "x"},
    {"id": "x", "fields": {"a": []}},
    {"id": "x", "fields": {"a": 1.5}},
]


@pytest.mark.parametrize("reason", BAD_REASONS, ids=str)
def test_a_note_that_somebody_damaged_costs_the_reason_alone(shelf: Shelf, reason: object) -> None:
    id = shelf.quarantine(mail(), Reason("why"))
    note = shelf.kept / f"{id}.reason.json"
    note.write_text(json.dumps({**json.loads(note.read_text()), "reason": reason}))
    (entry,) = shelf.list_quarantine()
    assert (entry.id, entry.reason) == (id, Reason("note-unreadable"))


def test_a_note_without_its_mail_is_cleared_away(shelf: Shelf) -> None:
    id = shelf.quarantine(mail(), Reason("why"))
    (shelf.kept / f"{id}.mails").unlink()
    kept = shelf.quarantine(mail("other"), Reason("why"))
    shelf.recover()
    assert [entry.id for entry in shelf.list_quarantine()] == [kept]
    assert files(shelf)["quarantine"] == 2


@pytest.mark.parametrize("id", ["../../secret", "0" * 24, "", "A" * 24, "0" * 24 + "\n"])
def test_an_id_is_no_way_to_other_files(shelf: Shelf, id: str) -> None:
    (shelf.path.parent / "secret.mails").write_text("")
    for use in (shelf.load_quarantined, shelf.retry, shelf.discard):
        with pytest.raises(SpoolError, match="nothing in quarantine"):
            use(id)


def test_what_waits_is_counted(shelf: Shelf) -> None:
    assert (shelf.waiting().files, shelf.waiting().size) == (0, 0)
    size = shelf.put([mail()]).stat().st_size
    claim(shelf)
    shelf.put([mail()])
    assert (shelf.waiting().files, shelf.waiting().size) == (2, 2 * size)


def test_mails_without_a_byte_and_large_ones_are_kept(shelf: Shelf) -> None:
    mails = (ReceivedMail(raw=b"", received_at=0), ReceivedMail(raw=b"x" * 5_000_000, received_at=0))
    shelf.put(mails)
    assert shelf.read(claim(shelf)).mails == mails


def test_many_mails_fit_into_one_file(shelf: Shelf) -> None:
    mails = tuple(mail(str(number)) for number in range(1500))
    shelf.put(mails)
    assert shelf.read(claim(shelf)).mails == mails


def test_a_spool_that_is_gone_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(SpoolError, match="write to the spool"):
        Shelf(tmp_path / "nowhere").put([mail()])
