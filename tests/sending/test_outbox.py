"""The outbox: one message for one recipient and guide, ever, and nobody is written to who said no."""

from __future__ import annotations

import sqlite3
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from mailguard.errors import OperationError, UsageError
from mailguard.sending.outbox import Outbox
from mailguard.sending.values import State, Stop
from tests.sending.world import NOW, draft


def test_a_message_waits_with_its_bytes(outbox: Outbox) -> None:
    message = outbox.put(draft(), NOW)
    assert (message.state, message.prepared_at, message.attempts) == (State.PENDING, NOW, 0)
    assert outbox.raw(message) == draft().raw
    assert [event.what for event in outbox.events(message)] == ["prepared"]


def test_a_second_preview_takes_the_place_of_what_waits(outbox: Outbox) -> None:
    first = outbox.put(draft(), NOW)
    second = outbox.put(draft(raw=b"better", subject="better"), NOW)
    assert second.id == first.id
    assert outbox.raw(second) == b"better"
    assert len(outbox.messages()) == 1


@pytest.mark.parametrize("address", ["INFO@midori.example.jp", "info@MIDORI.example.jp"])
def test_case_makes_no_other_recipient(outbox: Outbox, address: str) -> None:
    outbox.put(draft(), NOW)
    outbox.put(draft(recipient=address), NOW)
    assert len(outbox.messages()) == 1


def test_another_guide_or_recipient_is_another_message(outbox: Outbox) -> None:
    outbox.put(draft(), NOW)
    outbox.put(draft(number="MG-20261222-0AB1C2", message_id="b@x", token="b"), NOW)
    outbox.put(draft(recipient="director@midori.example.jp", message_id="c@x", token="c"), NOW)
    assert len(outbox.messages()) == 3


@pytest.mark.parametrize("state", [State.SENT, State.FAILED, State.BOUNCED, State.UNCLEAR])
def test_what_has_left_is_never_replaced_and_never_begun_again(outbox: Outbox, state: State) -> None:
    message = outbox.put(draft(), NOW)
    assert outbox.begin(message, NOW)
    outbox.conclude(message, state, NOW)
    assert outbox.put(draft(raw=b"another"), NOW).state is state
    assert outbox.raw(message) == draft().raw
    assert not outbox.begin(message, NOW)


def test_a_message_is_begun_once(outbox: Outbox) -> None:
    message = outbox.put(draft(), NOW)
    assert outbox.begin(message, NOW)
    assert not outbox.begin(message, NOW)


def test_a_deferred_message_can_be_begun_again(outbox: Outbox) -> None:
    message = outbox.put(draft(), NOW)
    outbox.begin(message, NOW)
    outbox.conclude(message, State.PENDING, NOW, "451 later")
    assert outbox.begin(message, NOW)
    assert [event.what for event in outbox.events(message)] == ["prepared", "sending", "deferred", "sending"]


def test_what_was_being_sent_when_a_run_died_is_unclear(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    with Outbox.open(path) as outbox:
        begun, waits = outbox.put(draft(), NOW), outbox.put(draft("aoba"), NOW)
        outbox.begin(begun, NOW)
    with Outbox.open(path) as outbox:
        assert [message.state for message in outbox.messages()] == [State.UNCLEAR, State.PENDING]
        assert not outbox.begin(begun, NOW)
        assert outbox.begin(waits, NOW)


def test_looking_does_not_judge_a_run_that_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    with Outbox.open(path) as outbox:
        outbox.begin(outbox.put(draft(), NOW), NOW)
        looking = Outbox.read(path)
        assert looking is not None
        with looking:
            assert [message.state for message in looking.messages()] == [State.SENDING]
            with pytest.raises(OperationError):
                looking.stop("info@midori.example.jp", Stop.OPT_OUT, NOW)


def test_two_runs_at_a_time_are_refused(tmp_path: Path) -> None:
    with Outbox.open(tmp_path / "outbox.db"), pytest.raises(UsageError, match="Another run is using the outbox"):
        Outbox.open(tmp_path / "outbox.db")
    Outbox.open(tmp_path / "outbox.db").close()


def test_nothing_is_read_where_there_is_no_outbox(tmp_path: Path) -> None:
    assert Outbox.read(tmp_path / "outbox.db") is None
    assert list(tmp_path.iterdir()) == []


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    Outbox.open(tmp_path / "outbox.db").close()
    assert stat.S_IMODE((tmp_path / "outbox.db").stat().st_mode) == 0o600


def test_another_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE mine (a)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(OperationError, match="is no outbox"):
        Outbox.open(path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "outbox.db").write_bytes(b"not a database" * 100)
    with pytest.raises(OperationError, match="could not be used"):
        Outbox.open(tmp_path / "outbox.db")


def test_who_said_no_has_said_no(outbox: Outbox) -> None:
    outbox.stop("Info@midori.example.jp", Stop.OPT_OUT, NOW, "line 2")
    outbox.stop("info@midori.example.jp", Stop.BOUNCED, NOW + timedelta(days=1))
    found = outbox.stopped("INFO@midori.example.jp")
    assert found is not None
    assert (found.reason, found.detail) == (Stop.OPT_OUT, "line 2")
    assert outbox.allow("info@midori.example.jp")
    assert outbox.stopped("info@midori.example.jp") is None
    assert not outbox.allow("info@midori.example.jp")


def test_an_opt_out_comes_before_a_bounce(outbox: Outbox) -> None:
    outbox.stop("info@midori.example.jp", Stop.BOUNCED, NOW)
    outbox.stop("info@midori.example.jp", Stop.OPT_OUT, NOW)
    (found,) = outbox.all_stopped()
    assert found.reason is Stop.OPT_OUT


def test_a_domain_is_forgotten_whole_but_for_the_wish_to_be_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    with Outbox.open(path) as outbox:
        outbox.put(draft(raw=b"a letter to midori"), NOW)
        outbox.put(draft("aoba"), NOW)
        outbox.stop("info@midori.example.jp", Stop.OPT_OUT, NOW)
        assert outbox.forget("midori.example.jp") == 1
        assert [message.domain for message in outbox.messages()] == ["aoba.example.jp"]
        assert outbox.stopped("info@midori.example.jp")
    assert b"a letter to midori" not in path.read_bytes()


def test_a_server_s_words_are_cut_and_shown(outbox: Outbox) -> None:
    message = outbox.put(draft(), NOW)
    outbox.conclude(message, State.FAILED, NOW, "554 \x1b[31m" + "x" * 1000)
    found = outbox.get(message.id)
    assert found is not None
    assert found.answer.startswith(r"554 \u{1b}[31m")
    assert len(found.answer) < 400
