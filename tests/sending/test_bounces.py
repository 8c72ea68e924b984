"""Mails that came back, as mail servers write them, and as somebody writes them who wants to stop others."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.sending.bounces import Noted, is_bounce, note_bounce, read_bounce
from mailguard.sending.outbox import Outbox
from mailguard.sending.values import State, Stop
from tests.sending.world import NOW, draft

POSTFIX = """\
From: MAILER-DAEMON@mx.example.net (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: bounces@consult.example.jp
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b1"
Message-Id: <20261122031500.1@mx.example.net>

--b1
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.example.net.

--b1
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net
{envelope}X-Postfix-Queue-ID: 4Zx
Arrival-Date: Sun, 22 Nov 2026 12:00:00 +0900 (JST)

Final-Recipient: rfc822; info@midori.example.jp
Original-Recipient: rfc822;info@midori.example.jp
Action: {action}
Status: {status}
Remote-MTA: dns; mail.midori.example.jp
Diagnostic-Code: smtp; 550 {status} <info@midori.example.jp>: Recipient address
    rejected: User unknown

--b1
Content-Description: Undelivered Message Headers
Content-Type: {returned}

Subject: guide
Message-ID: {message_id}

--b1--
"""


def bounce(
    *,
    envelope_id: str = "",
    message_id: str = "<midori-token@consult.example.jp>",
    status: str = "5.1.1",
    action: str = "failed",
    returned: str = "text/rfc822-headers",
) -> bytes:
    envelope = f"Original-Envelope-Id: {envelope_id}\n" if envelope_id else ""
    told = POSTFIX.format(envelope=envelope, message_id=message_id, status=status, action=action, returned=returned)
    return told.encode()


@pytest.fixture
def outbox(outbox: Outbox) -> Outbox:
    """With a message that was sent."""
    message = outbox.put(draft(), NOW)
    outbox.begin(message, NOW)
    outbox.conclude(message, State.SENT, NOW)
    return outbox


def state(outbox: Outbox) -> State:
    (message,) = outbox.messages()
    return message.state


@pytest.mark.parametrize("returned", ["text/rfc822-headers", "message/rfc822"])
def test_a_bounce_is_put_down_and_stops_the_address(outbox: Outbox, returned: str) -> None:
    noted, message = note_bounce(outbox, bounce(returned=returned), NOW)
    assert noted is Noted.BOUNCED
    assert message is not None
    assert state(outbox) is State.BOUNCED
    stopped = outbox.stopped("info@midori.example.jp")
    assert stopped is not None
    assert stopped.reason is Stop.BOUNCED
    assert "User unknown" in stopped.detail


def test_the_envelope_id_is_enough(outbox: Outbox) -> None:
    assert note_bounce(outbox, bounce(envelope_id="midori-token", message_id="<x@y>"), NOW)[0] is Noted.BOUNCED


def test_twice_is_once(outbox: Outbox) -> None:
    note_bounce(outbox, bounce(), NOW)
    (message,) = outbox.messages()
    events = outbox.events(message)
    assert note_bounce(outbox, bounce(), NOW)[0] is Noted.KNOWN
    assert outbox.events(message) == events


@pytest.mark.parametrize(
    ("action", "status"), [("delayed", "4.4.1"), ("failed", "4.4.7"), ("delivered", "2.0.0"), ("delayed", "5.1.1")]
)
def test_what_may_pass_is_noted_and_stops_nobody(outbox: Outbox, action: str, status: str) -> None:
    assert note_bounce(outbox, bounce(action=action, status=status), NOW)[0] is Noted.SOFT
    assert note_bounce(outbox, bounce(action=action, status=status), NOW)[0] is Noted.KNOWN
    assert state(outbox) is State.SENT
    assert outbox.all_stopped() == []
    (message,) = outbox.messages()
    assert [event.what for event in outbox.events(message)].count("delayed") == 1


def test_an_unclear_message_that_comes_back_has_gone_out(outbox: Outbox) -> None:
    (message,) = outbox.messages()
    outbox.conclude(message, State.UNCLEAR, NOW)
    assert note_bounce(outbox, bounce(), NOW)[0] is Noted.BOUNCED


@pytest.mark.parametrize("message_id", ["<another@consult.example.jp>", "<>", "", "<midori@consult.example.jp>", "%"])
def test_who_names_no_message_of_ours_stops_nobody(outbox: Outbox, message_id: str) -> None:
    """The recipient's address alone, which everybody knows, is not enough."""
    assert note_bounce(outbox, bounce(message_id=message_id), NOW)[0] is Noted.NOT_OURS
    assert state(outbox) is State.SENT
    assert outbox.all_stopped() == []


def test_what_has_not_gone_out_cannot_come_back(tmp_path: Path) -> None:
    with Outbox.open(tmp_path / "outbox.db") as outbox:
        outbox.put(draft(), NOW)
        assert note_bounce(outbox, bounce(), NOW)[0] is Noted.NOT_OURS
        assert state(outbox) is State.PENDING


@pytest.mark.parametrize(
    "mail", [b"", b"Subject: hello\n\nhello\n", b"Subject: out of office\nAuto-Submitted: auto-replied\n\nI am away\n"]
)
def test_other_mail_is_no_bounce(outbox: Outbox, mail: bytes) -> None:
    assert note_bounce(outbox, mail, NOW) == (Noted.NO_BOUNCE, None)
    assert not is_bounce(mail)


def test_a_bounce_is_known_by_a_look() -> None:
    assert is_bounce(bounce())


def test_a_mail_too_deep_to_read_is_no_bounce() -> None:
    deep = b"".join(b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (n, n) for n in range(5000))
    assert read_bounce(deep) is None


@given(st.binary(max_size=400), st.integers(0, 1200))
def test_no_bounce_is_too_strange(junk: bytes, place: int) -> None:
    whole = bounce()
    for mail in (junk, whole[:place], whole[:place] + junk + whole[place:]):
        found = read_bounce(mail)
        assert found is None or len(found.answer) < 300
