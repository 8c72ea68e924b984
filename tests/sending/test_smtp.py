"""Handing over: what each answer of a mail server means, and what it must never be taken for."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mailguard.errors import UsageError
from mailguard.sending.settings import SmtpSettings, Tls
from mailguard.sending.smtp import Channel, Fate, Handed, ServerRefuses
from mailguard.sources.secret import Secret
from tests.integration.postfix.authority import Authority
from tests.sending.server import SILENCE, Cut, MailServer, running

RAW = b"Subject: guide\r\n\r\n.a line that begins with a dot\r\n"


def answers(line: str) -> Callable[[str], str]:
    return lambda _: line


def cuts(_: str) -> str:
    raise Cut


def plain(server: MailServer) -> SmtpSettings:
    return SmtpSettings("127.0.0.1", server.port, Tls.NONE, timeout_s=5, data_timeout_s=0.5)


def hand_over(settings: SmtpSettings, *, begin: Callable[[], bool] = lambda: True) -> Handed:
    async def once() -> Handed:
        async with Channel(settings) as channel:
            return await channel.hand_over("b@consult.example.jp", "i@a.example.jp", RAW, envelope_id="e1", begin=begin)

    return asyncio.run(once())


def test_a_mail_that_is_taken_arrives_as_it_was(server: MailServer) -> None:
    assert hand_over(plain(server)) == Handed(Fate.TAKEN, "250 2.0.0 queued")
    (one,) = server.taken
    assert (one.mail_from, one.rcpt_to, one.raw) == ("b@consult.example.jp", "i@a.example.jp", RAW)


def test_bounces_are_asked_for_by_an_id_where_the_server_can_that(server: MailServer) -> None:
    hand_over(plain(server))
    assert "MAIL FROM:<b@consult.example.jp> RET=HDRS ENVID=e1" in server.commands
    assert "RCPT TO:<i@a.example.jp> NOTIFY=FAILURE ORCPT=rfc822;i@a.example.jp" in server.commands
    server.extensions = ()
    server.commands.clear()
    hand_over(plain(server))
    assert "RCPT TO:<i@a.example.jp>" in server.commands


@pytest.mark.parametrize(
    ("step", "answer", "fate"),
    [
        ("on_dot", "250 2.0.0 queued", Fate.TAKEN),
        ("on_dot", "251 2.0.0 queued elsewhere", Fate.TAKEN),
        ("on_dot", "451 4.3.0 try later", Fate.LATER),
        ("on_dot", "421 4.3.0 shutting down", Fate.LATER),
        ("on_dot", "554 5.7.1 no", Fate.REFUSED),
        ("on_dot", "354 what?", Fate.UNKNOWN),
        ("on_rcpt", "450 4.2.1 try later", Fate.LATER),
        ("on_rcpt", "550 5.1.1 no such user", Fate.NO_SUCH_ADDRESS),
        ("on_rcpt", "550 5.7.1 no relay", Fate.REFUSED),
        ("on_rcpt", "550 no", Fate.REFUSED),
    ],
)
def test_answers(server: MailServer, step: str, answer: str, fate: Fate) -> None:
    setattr(server, step, answers(answer))
    handed = hand_over(plain(server))
    assert handed.fate is fate
    assert handed.answer.startswith(answer[:3])


def test_cut_off_at_the_final_dot_nobody_knows(server: MailServer) -> None:
    server.on_dot = cuts
    assert hand_over(plain(server)).fate is Fate.UNKNOWN
    assert server.seen, "the server had all of it"


def test_silence_after_the_final_dot_is_not_a_refusal(server: MailServer) -> None:
    server.on_dot = answers(SILENCE)
    assert hand_over(plain(server)).fate is Fate.UNKNOWN


def test_it_is_noted_before_the_first_byte_of_data(server: MailServer) -> None:
    seen: list[str] = []

    def begin() -> bool:
        seen.extend(server.commands)
        return True

    hand_over(plain(server), begin=begin)
    assert [line.split()[0] for line in seen] == ["EHLO", "MAIL", "RCPT"]


def test_what_somebody_else_has_is_not_sent(server: MailServer) -> None:
    assert hand_over(plain(server), begin=lambda: False).fate is Fate.NOT_BEGUN
    assert not server.seen


def test_a_refused_recipient_is_not_begun(server: MailServer) -> None:
    server.on_rcpt = answers("550 5.1.1 no such user")

    def begin() -> bool:
        raise AssertionError("nothing may be noted")

    assert hand_over(plain(server), begin=begin).fate is Fate.NO_SUCH_ADDRESS


def test_a_refused_sender_ends_the_run(server: MailServer) -> None:
    server.on_mail = answers("553 5.7.1 not yours")
    with pytest.raises(ServerRefuses, match=r"does not take mail from b@consult.example.jp \(553 5.7.1 not yours\)"):
        hand_over(plain(server))


def test_a_server_that_is_not_there_ends_the_run(server: MailServer) -> None:
    with pytest.raises(ServerRefuses, match="could not be reached"):
        hand_over(SmtpSettings("127.0.0.1", 1, Tls.NONE, timeout_s=5))


def test_words_of_a_server_are_shown_and_not_obeyed(server: MailServer) -> None:
    server.on_dot = answers("554 \x1b[31mred\u202eder " + "x" * 500)
    answer = hand_over(plain(server)).answer
    assert r"\u{1b}[31mred\u{202e}der" in answer
    assert len(answer) < 300


@pytest.fixture(params=[Tls.STARTTLS, Tls.TLS])
def secure(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[MailServer, SmtpSettings]]:
    authority = Authority(tmp_path / "authority.pem", "test authority")
    authority.issue(tmp_path / "chain.pem", tmp_path / "key.pem", "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "chain.pem", tmp_path / "key.pem")
    (tmp_path / "password").write_text("s3cret-パス\n", "utf-8")
    at_once = request.param is Tls.TLS
    with running(MailServer(tls=context, login=("guide", "s3cret-パス"), encrypted_at_once=at_once)) as one:
        settings = SmtpSettings(
            tls=request.param,
            host="localhost",
            port=one.port,
            username="guide",
            password=Secret(file=str(tmp_path / "password")),
            ca_file=str(authority.file),
            timeout_s=5,
        )
        yield one, settings


def test_encrypted_and_with_a_password(secure: tuple[MailServer, SmtpSettings]) -> None:
    server, settings = secure
    assert hand_over(settings).fate is Fate.TAKEN
    verbs = [line.split()[0] for line in server.commands]
    assert ("STARTTLS" in verbs) is (settings.tls is Tls.STARTTLS)
    assert verbs[-5:] == ["AUTH", "MAIL", "RCPT", "DATA", "QUIT"]


def test_a_wrong_password_is_told_and_not_shown(secure: tuple[MailServer, SmtpSettings]) -> None:
    server, settings = secure
    server.login = ("guide", "another")
    with pytest.raises(ServerRefuses, match="does not take the username and password") as told:
        hand_over(settings)
    seen: BaseException | None = told.value
    while seen is not None:
        assert "s3cret" not in f"{seen!r} {seen.args!r}"
        seen = None if seen.__suppress_context__ else seen.__context__


def test_a_certificate_of_another_is_not_trusted(secure: tuple[MailServer, SmtpSettings]) -> None:
    server, settings = secure
    with pytest.raises(ServerRefuses, match="has no certificate that can be trusted"):
        hand_over(replace(settings, ca_file=""))
    assert not [line for line in server.commands if line.startswith(("AUTH", "MAIL"))]


def test_a_certificate_for_another_name_is_not_trusted(secure: tuple[MailServer, SmtpSettings]) -> None:
    server, settings = secure
    with pytest.raises(ServerRefuses, match="has no certificate that can be trusted"):
        hand_over(replace(settings, host="127.0.0.1"))
    assert not [line for line in server.commands if line.startswith(("AUTH", "MAIL"))]


def test_a_server_without_encryption_gets_neither_password_nor_mail(
    secure: tuple[MailServer, SmtpSettings],
) -> None:
    server, settings = secure
    if settings.tls is Tls.TLS:
        pytest.skip("what does not begin with a TLS handshake is no server for it")
    server.tls = None
    with pytest.raises(ServerRefuses, match=r"offers no encryption \(STARTTLS\)"):
        hand_over(settings)
    assert [line.split()[0] for line in server.commands if not line.startswith("QUIT")] == ["EHLO"]


def test_a_missing_secret_is_told_before_there_is_a_connection(secure: tuple[MailServer, SmtpSettings]) -> None:
    server, settings = secure
    with pytest.raises(UsageError, match="could not be read"):
        hand_over(replace(settings, password=Secret(file="/nowhere/password")))
    assert server.commands == []
