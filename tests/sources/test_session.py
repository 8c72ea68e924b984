"""One connection, against a server that is old, broken or hostile."""

from __future__ import annotations

import base64
import socket
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from mailguard.sources.errors import MailboxError
from mailguard.sources.mailbox import MailboxReader, SeenInMemory
from mailguard.sources.oauth import TokenSource
from mailguard.sources.secret import Secret
from mailguard.sources.session import Session
from mailguard.sources.settings import Encryption, MailboxSettings
from tests.sources.scripted_imap import Answer, ScriptedImap


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAP_PASSWORD", "the-secret")


def settings_for(server: ScriptedImap, **changes: object) -> MailboxSettings:
    settings = MailboxSettings(
        host="127.0.0.1",
        user="dmarc@clinic.example.jp",
        password=Secret(variable="IMAP_PASSWORD"),
        encryption=Encryption.NONE,
        port=server.port,
        timeout_s=5.0,
        mail_bytes=1_000,
        done_folder="done",
    )
    return replace(settings, **changes)  # type: ignore[arg-type]


def answering(**replies: str) -> Answer:
    """``uid_fetch="..."``: what is said before the OK to every command that begins so."""

    def answer(tag: str, command: str) -> bytes | None:
        for start, reply in replies.items():
            if tag and command.upper().startswith(start.replace("_", " ").upper()):
                return f"{reply}{tag} OK done\r\n".encode()
        return None

    return answer


def literal(uid: int, data: str) -> str:
    date = 'INTERNALDATE "21-Sep-2026 09:00:00 +0900"'
    return f"* 1 FETCH (UID {uid} {date} BODY[]<0> {{{len(data)}}}\r\n{data})\r\n"


def test_a_mail_is_fetched_without_marking_it() -> None:
    answer = answering(uid_fetch=literal(5, "A: b\r\n\r\n"))
    with ScriptedImap(answer=answer) as server, Session.open(settings_for(server)) as session:
        assert session.look() == (7, (5,))
        letter = session.fetch(5)
    assert letter is not None
    assert (letter.raw, letter.arrived_at) == (b"A: b\r\n\r\n", 1_789_948_800)
    assert [line for line in server.said if "FETCH" in line] == ["UID FETCH 5 (UID INTERNALDATE BODY.PEEK[]<0.1001>)"]
    assert 'EXAMINE "INBOX"' in server.said
    assert 'SELECT "INBOX"' not in server.said


def test_flags_that_change_in_between_are_not_taken_for_a_mail() -> None:
    reply = "* 9 FETCH (FLAGS (\\Seen))\r\n" + literal(5, "A: b\r\n") + "* 9 FETCH (FLAGS ())\r\n"
    with ScriptedImap(answer=answering(uid_fetch=reply)) as server, Session.open(settings_for(server)) as session:
        session.look()
        letter = session.fetch(5)
    assert letter is not None
    assert letter.raw == b"A: b\r\n"


def test_a_mail_that_is_gone_is_none() -> None:
    with ScriptedImap() as server, Session.open(settings_for(server)) as session:
        session.look()
        assert (session.sizes([5]), session.fetch(5)) == ({}, None)


def moves(said: list[str]) -> list[str]:
    return [line for line in said if line.startswith(("UID", "EXPUNGE", "SELECT", "CREATE", "CLOSE"))]


def test_a_server_with_move_moves() -> None:
    with ScriptedImap() as server, Session.open(settings_for(server)) as session:
        session.move(7, (5, 6), "done")
    assert moves(server.said) == ['SELECT "INBOX"', 'UID MOVE 5,6 "done"']


def test_a_server_without_move_copies_and_expunges_only_ours() -> None:
    with ScriptedImap("IMAP4rev1 UIDPLUS") as server, Session.open(settings_for(server)) as session:
        session.move(7, (5,), "done")
    commands = ['SELECT "INBOX"', 'UID COPY 5 "done"', r"UID STORE 5 +FLAGS.SILENT (\Deleted)", "UID EXPUNGE 5"]
    assert moves(server.said) == commands


def test_a_server_with_neither_is_never_told_to_expunge() -> None:
    with ScriptedImap("IMAP4rev1") as server, Session.open(settings_for(server)) as session:
        session.move(7, (5,), "done")
    assert moves(server.said) == ['SELECT "INBOX"', 'UID COPY 5 "done"', r"UID STORE 5 +FLAGS.SILENT (\Deleted)"]


def test_marking_expunges_nothing() -> None:
    with ScriptedImap() as server, Session.open(settings_for(server)) as session:
        session.flag(7, (5,), [r"\Seen"])
    assert moves(server.said) == ['SELECT "INBOX"', r"UID STORE 5 +FLAGS.SILENT (\Seen)"]


def test_nothing_is_done_under_another_validity() -> None:
    with ScriptedImap() as server, Session.open(settings_for(server)) as session:
        session.move(8, (5,), "done")
        session.flag(8, (5,), [r"\Seen"])
    assert moves(server.said) == ['SELECT "INBOX"', 'SELECT "INBOX"']


def test_a_copy_that_is_refused_leaves_the_mail() -> None:
    def refuse(tag: str, command: str) -> bytes | None:
        return f"{tag} NO [OVERQUOTA] full\r\n".encode() if command.startswith("UID COPY") else None

    with (
        ScriptedImap("IMAP4rev1 UIDPLUS", refuse) as server,
        Session.open(settings_for(server)) as session,
        pytest.raises(MailboxError, match="OVERQUOTA"),
    ):
        session.move(7, (5,), "done")
    assert not [line for line in server.said if "STORE" in line or "EXPUNGE" in line]


@pytest.mark.parametrize("user", ["dmarc@clinic.example.jp", "病院@clinic.example.jp"])
def test_a_refused_login_is_told_without_the_password(user: str) -> None:
    def refuse(tag: str, command: str) -> bytes | None:
        if command.startswith(("LOGIN", "AUTHENTICATE")):
            return f"{tag} NO [AUTHENTICATIONFAILED] \x1b[31mno\r\n".encode()
        return None

    with ScriptedImap(answer=refuse) as server, pytest.raises(MailboxError, match="refused the login") as caught:
        Session.open(settings_for(server, user=user))
    assert "the-secret" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


class Tokens(TokenSource):
    def __init__(self, token: str) -> None:
        self.given = token
        self.forgotten = 0

    def token(self) -> str:
        return self.given

    def forget(self) -> None:
        self.forgotten += 1


def xoauth2(verdict: str) -> Answer:
    """A server that asks for the token, and on ``NO`` first sends the challenge that wants an empty answer."""
    tags: list[str] = []

    def answer(tag: str, command: str) -> bytes | None:
        if command == "AUTHENTICATE XOAUTH2":
            tags.append(tag)
            return b"+ \r\n"
        if tag:
            return None
        if verdict == "NO" and command:
            return b"+ " + base64.b64encode(b'{"status":"400"}') + b"\r\n"
        return f"{tags[-1]} {verdict} done\r\n".encode()

    return answer


def test_xoauth2_sends_the_published_string() -> None:
    tokens = Tokens("ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg")
    with ScriptedImap("IMAP4rev1 AUTH=XOAUTH2", xoauth2("OK")) as server:
        Session.open(settings_for(server, user="someuser@example.com"), tokens).close()
    # The example of Google's and Microsoft's descriptions of the mechanism.
    assert (
        "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2cBAQ=="
        in server.said
    )


def test_a_refused_token_is_forgotten_and_not_told() -> None:
    tokens = Tokens("the-token")
    with (
        ScriptedImap("IMAP4rev1 AUTH=XOAUTH2", xoauth2("NO")) as server,
        pytest.raises(MailboxError, match="refused the login") as caught,
    ):
        Session.open(settings_for(server), tokens)
    assert tokens.forgotten == 1
    assert "the-token" not in str(caught.value)
    assert "" in server.said  # the empty answer to the challenge


@pytest.fixture
def wake() -> Iterator[socket.socket]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours


class Idling:
    """Answers IDLE with ``begin``, and its end with ``end``; None hangs up."""

    def __init__(self, begin: bytes, end: str | None) -> None:
        self._begin, self._end, self._tag = begin, end, ""

    def __call__(self, tag: str, command: str) -> bytes | None:
        if command == "IDLE":
            self._tag = tag
            return self._begin
        if (tag, command) != ("", "DONE"):
            return None
        if self._end is None:
            raise OSError
        return f"{self._tag} {self._end}\r\n".encode()


def test_news_that_come_along_with_the_answer_to_idle_are_noticed(wake: socket.socket) -> None:
    answer = Idling(b"+ idling\r\n* 2 EXISTS\r\n", "OK done")
    with ScriptedImap(answer=answer) as server, Session.open(settings_for(server)) as session:
        session.look()
        began = time.monotonic()
        session.wait(60.0, wake)
    assert time.monotonic() - began < 30.0


def test_a_server_without_idle_is_polled(wake: socket.socket) -> None:
    with ScriptedImap("IMAP4rev1") as server, Session.open(settings_for(server)) as session:
        session.look()
        session.wait(0.01, wake)
    assert "IDLE" not in server.said


def test_a_server_that_hangs_up_while_we_wait_is_told(wake: socket.socket) -> None:
    with (
        ScriptedImap(answer=Idling(b"+ idling\r\n", None)) as server,
        Session.open(settings_for(server)) as session,
        pytest.raises(MailboxError, match="hung up"),
    ):
        session.wait(0.01, wake)


@pytest.mark.parametrize(
    "nonsense",
    [
        b"* SEARCH five\r\n%s OK done\r\n",
        b"* 1 FETCH (UID 99999999999999999999\r\n%s OK done\r\n",
        b"\0\0\0\r\n",
        b"* BYE go away\r\n",
        b"%s BAD what\r\n",
        b"* SEARCH " + "病".encode() + b"\r\n%s OK done\r\n",
    ],
)
def test_nonsense_is_our_error_or_nothing(nonsense: bytes) -> None:
    def answer(tag: str, command: str) -> bytes | None:
        return nonsense.replace(b"%s", tag.encode()) if command.startswith(("UID", "EXAMINE")) else None

    with ScriptedImap(answer=answer) as server, Session.open(settings_for(server, timeout_s=0.5)) as session:
        try:
            _, uids = session.look()
            session.sizes(uids or (5,))
        except MailboxError:
            pass


def test_a_literal_far_beyond_the_limit_is_not_read() -> None:
    huge = "* 1 FETCH (UID 5 BODY[]<0> {999999999999}\r\n"
    with ScriptedImap(answer=answering(uid_fetch=huge)) as server, Session.open(settings_for(server)) as session:
        session.look()
        with pytest.raises(MailboxError, match="999999999999"):
            session.fetch(5)


def test_a_literal_before_the_login_is_bounded_too() -> None:
    with (
        ScriptedImap(answer=answering(login="* 1 X {999999999999}\r\n")) as server,
        pytest.raises(MailboxError, match="999999999999"),
    ):
        Session.open(settings_for(server))


def reader_for(server: ScriptedImap, **changes: object) -> MailboxReader:
    return MailboxReader(settings_for(server, **changes), SeenInMemory(), lambda raw: True)


def test_a_size_that_was_told_wrong_is_noticed() -> None:
    def lie(tag: str, command: str) -> bytes | None:
        if "RFC822.SIZE" in command:
            return f"* 1 FETCH (UID 5 RFC822.SIZE 10)\r\n{tag} OK done\r\n".encode()
        return f"{literal(5, 'x' * 1_001)}{tag} OK done\r\n".encode() if "BODY" in command else None

    with ScriptedImap(answer=lie) as server, reader_for(server) as reader:
        batch = reader.next_batch()
        assert reader.next_batch() is None
    assert batch is not None
    assert (batch.mails, [left.size for left in batch.left]) == ((), [1_001])


def test_a_mail_that_the_server_cannot_give_does_not_keep_us_from_the_others() -> None:
    def answer(tag: str, command: str) -> bytes | None:
        if command.startswith("UID SEARCH"):
            return f"* SEARCH 5 6\r\n{tag} OK done\r\n".encode()
        if command.startswith("UID FETCH 5 ") and "BODY" in command:
            raise OSError  # hangs up
        if command.startswith("UID FETCH 6 ") and "BODY" in command:
            return f"{literal(6, 'A: b')}{tag} OK done\r\n".encode()
        return None

    with ScriptedImap(answer=answer) as server, reader_for(server) as reader:
        with pytest.raises(MailboxError):
            reader.next_batch()
        reader.hang_up()
        batch = reader.next_batch()
    assert batch is not None
    assert [fetched.uid for fetched in batch.mails] == [6]


def test_a_server_that_lets_us_read_but_not_move_does_not_keep_us_from_reading() -> None:
    uids = ["5"]

    def answer(tag: str, command: str) -> bytes | None:
        if command.startswith("UID SEARCH"):
            return f"* SEARCH {' '.join(uids)}\r\n{tag} OK done\r\n".encode()
        if "BODY" in command:
            return f"{literal(5, 'A: b')}{tag} OK done\r\n".encode()
        return f"{tag} NO read-only\r\n".encode() if command.startswith("UID MOVE") else None

    with ScriptedImap(answer=answer) as server, reader_for(server) as reader:
        batch = reader.next_batch()
        assert batch is not None
        batch.commit(5)
        for attempt in (lambda: reader.conclude(batch), reader.next_batch):
            with pytest.raises(MailboxError, match="read-only"):
                attempt()
            reader.hang_up()
        uids.append("6")
        following = reader.next_batch()
    assert following is not None
    assert [fetched.uid for fetched in following.mails] == [6]


def test_a_mail_of_which_nothing_can_be_told_now_is_asked_about_again() -> None:
    verdicts: list[bool | None] = [None, False]
    now = 1_000.0
    answer = answering(uid_fetch=literal(5, "A: b"))
    with ScriptedImap(answer=answer) as server:
        settings = settings_for(server, poll_s=300.0)
        given = []
        with MailboxReader(settings, SeenInMemory(), lambda raw: verdicts.pop(0), lambda: now) as reader:
            for now in (1_000.0, 1_299.0, 1_301.0, 9_999.0):  # noqa: B007 - the reader's clock
                given.append(reader.next_batch())
    assert ([batch and batch.mails for batch in given], verdicts) == ([(), None, (), None], [])
