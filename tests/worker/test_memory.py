"""What is remembered on disk: failed tries, and mails to be checked again."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailguard.worker.later import MAX_AGE_S, PAUSES_S, Later
from mailguard.worker.tries import Tries
from tests.worker.mails import NOW, report_mail


class Time:
    def __init__(self) -> None:
        self.now = float(NOW)

    def __call__(self) -> float:
        return self.now


def test_tries_outlast_us(tmp_path: Path) -> None:
    path = tmp_path / "tries.json"
    Tries(path).note(b"a", 2)
    assert Tries(path).count(b"a") == 2
    assert Tries(path).count(b"b") == 0
    Tries(path).note(b"a", 0)
    assert not Tries(path).any


@pytest.mark.parametrize("content", [b"", b"garbage", b"[1]", b'{"aa": 3}', b'{"aa": ["x", "y"]}'])
def test_a_damaged_file_of_tries_counts_from_zero(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "tries.json"
    path.write_bytes(content)
    tries = Tries(path)
    assert tries.count(bytes.fromhex("aa")) == 0
    tries.note(bytes.fromhex("aa"), 1)
    assert Tries(path).count(bytes.fromhex("aa")) == 1


def test_tries_are_forgotten_after_a_week_and_bounded(tmp_path: Path) -> None:
    time = Time()
    tries = Tries(tmp_path / "tries.json", now=time)
    tries.note(b"old", 2)
    time.now += 8 * 86_400
    for number in range(30):
        tries.note(str(number).encode(), 1)
    assert tries.count(b"old") == 0
    assert tries.count(b"29") == 1


def test_a_mail_comes_again_when_it_is_due(tmp_path: Path) -> None:
    time = Time()
    later = Later(tmp_path / "later", now=time)
    mail = report_mail("one")
    assert later.put(mail, 1)
    assert later.put(mail, 1)  # twice is once
    assert later.due() == []
    time.now += PAUSES_S[0]
    (file,) = later.due()
    due = later.read(file)
    assert due is not None
    assert (due.mail, due.checks) == (mail, 1)
    later.done(file)
    later.done(file)
    assert later.due() == []


def test_a_mail_is_checked_a_few_times_within_two_weeks(tmp_path: Path) -> None:
    time = Time()
    later = Later(tmp_path / "later", now=time)
    mail = report_mail("one")
    assert [later.put(mail, checks) for checks in range(1, 10)] == [True] * 8 + [False]
    assert 14 * 86_400 < sum(PAUSES_S) < MAX_AGE_S
    time.now += MAX_AGE_S + 1
    assert not later.put(mail, 1)


def test_what_is_damaged_goes(tmp_path: Path) -> None:
    time = Time()
    later = Later(tmp_path / "later", now=time)
    later.put(report_mail("one"), 1)
    time.now += PAUSES_S[0]
    (file,) = later.due()
    file.write_bytes(file.read_bytes()[:-5])
    assert later.read(file) is None
    assert later.due() == []
