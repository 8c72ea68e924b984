"""STARTTLS: what is offered, what is refused, and new certificates without a restart."""

from __future__ import annotations

import asyncio
import logging
import smtplib
import ssl
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from mailguard.errors import OperationError
from mailguard.ingest.tls import Certificate
from tests.certificates import write_certificate
from tests.ingest.client import ENVELOPE, MAIL, SETTINGS, Client, Inbox, listening


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return Certificate(*write_certificate(tmp_path))


def trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def name_shown(port: int) -> str:
    """The name in the certificate that a client is shown."""
    from cryptography import x509

    with smtplib.SMTP("127.0.0.1", port, local_hostname="a.example", timeout=5) as smtp:
        smtp.starttls(context=trusting())
        shown = x509.load_der_x509_certificate(smtp.sock.getpeercert(binary_form=True))
    return shown.subject.rfc4514_string()


async def test_a_mail_over_tls(certificate: Certificate) -> None:
    inbox = Inbox()
    async with listening(inbox, certificate=certificate) as (listener, _):

        def send() -> tuple[bool, bool, bool]:
            with smtplib.SMTP("127.0.0.1", listener.port, local_hostname="a.example", timeout=5) as smtp:
                smtp.ehlo()
                offered = smtp.has_extn("starttls")
                smtp.starttls(context=trusting())
                smtp.sendmail("dmarc@reporter.example", ["dmarc@clinic.example.jp"], MAIL * 10_000)
                return offered, smtp.has_extn("starttls"), smtp.has_extn("auth")

        assert await asyncio.to_thread(send) == (True, False, False)
    assert [(mail.tls, mail.helo, mail.peer) for mail in inbox] == [("TLSv1.3", "a.example", "127.0.0.1")]
    assert inbox[0].raw == MAIL * 10_000


async def test_without_a_certificate_there_is_no_tls() -> None:
    async with listening(Inbox()) as (_, connect):
        client = await connect()
        assert "STARTTLS" not in await client.begin("EHLO a.example")
        assert (await client.say("STARTTLS")).startswith("503")


async def test_old_protocols_are_refused(certificate: Certificate) -> None:
    old = trusting()
    old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="TLSVersion"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    async with listening(Inbox(), certificate=certificate) as (listener, connect):

        def shake() -> None:
            with smtplib.SMTP("127.0.0.1", listener.port, local_hostname="a.example", timeout=5) as smtp:
                smtp.starttls(context=old)

        with pytest.raises((ssl.SSLError, smtplib.SMTPServerDisconnected, ConnectionError)):
            await asyncio.to_thread(shake)
        assert (await (await connect()).reply()).startswith("220")


@pytest.mark.parametrize("injected", ["RSET\r\n", ENVELOPE[1] + "\r\n" + ENVELOPE[2] + "\r\n"])
async def test_what_was_injected_before_tls_is_thrown_away(certificate: Certificate, injected: str) -> None:
    """CVE-2011-0411: commands that a man in the middle put behind STARTTLS must not be heard inside TLS."""
    inbox = Inbox()
    async with listening(inbox, certificate=certificate) as (_, connect):
        client = await connect()
        await client.begin("EHLO a.example")
        client.send(b"STARTTLS\r\n" + injected.encode())
        assert (await client.reply()).startswith("220")
        secure = await _begin_tls(client)
        assert (await secure.say("NOOP")).startswith("250 OK")
        assert (await secure.say(ENVELOPE[1])).startswith("503"), "the state of before TLS is forgotten"
        assert (await secure.say("EHLO a.example")).startswith("250")
        for line in (*ENVELOPE[1:], "DATA"):
            await secure.say(line)
        assert (await secure.say("x\r\n.")).startswith("250")
        secure.writer.close()
    assert [mail.mail_from for mail in inbox] == ["dmarc@reporter.example"]


async def test_a_second_starttls_is_refused(certificate: Certificate) -> None:
    async with listening(Inbox(), certificate=certificate) as (_, connect):
        client = await connect()
        await client.begin("EHLO a.example", "STARTTLS")
        secure = await _begin_tls(client)
        assert "STARTTLS" not in await secure.say("EHLO a.example")
        assert (await secure.say("STARTTLS")).startswith("503")
        secure.writer.close()


@pytest.mark.parametrize("said", [b"", b"QUIT\r\n" * 10], ids=["silence", "no TLS at all"])
async def test_a_handshake_has_an_end(certificate: Certificate, said: bytes) -> None:
    async with listening(Inbox(), replace(SETTINGS, handshake_s=0.1), certificate=certificate) as (listener, connect):
        client = await connect()
        await client.begin("EHLO a.example")
        assert (await client.say("STARTTLS")).startswith("220")
        client.send(said)
        with suppress(ConnectionError):
            await asyncio.wait_for(client.reader.read(), 3)
        assert await listener._gate.until_empty(1)


@pytest.mark.parametrize("said", [b"", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n"], ids=repr)
async def test_leaving_a_handshake_is_no_failure_of_ours(
    certificate: Certificate, said: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever scans ports does it all day."""
    async with listening(Inbox(), certificate=certificate) as (listener, connect):
        client = await connect()
        await client.begin("EHLO a.example", "STARTTLS")
        client.send(said)
        client.writer.write_eof()
        with suppress(ConnectionError):
            await asyncio.wait_for(client.reader.read(), 3)
        assert await listener._gate.until_empty(2)
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []


async def test_leaving_without_farewell_inside_tls_leaves_nothing_behind(certificate: Certificate) -> None:
    async with listening(Inbox(), certificate=certificate) as (listener, connect):
        client = await connect()
        await client.begin("EHLO a.example", "STARTTLS")
        secure = await _begin_tls(client)
        await secure.say("EHLO a.example")
        secure.writer.transport.abort()
        assert await listener._gate.until_empty(2)


async def test_a_new_certificate_is_shown_without_a_restart(tmp_path: Path) -> None:
    certificate = Certificate(*write_certificate(tmp_path))
    async with listening(Inbox(), certificate=certificate) as (listener, _):
        assert await asyncio.to_thread(name_shown, listener.port) == "CN=reports.example.jp"
        write_certificate(tmp_path, "new.example.jp")
        assert await asyncio.to_thread(name_shown, listener.port) == "CN=new.example.jp"


def test_while_files_do_not_fit_together_the_former_certificate_stays(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    chain, key = write_certificate(tmp_path)
    certificate = Certificate(chain, key)
    former = certificate.context()
    (tmp_path / "new").mkdir()
    new_chain, new_key = write_certificate(tmp_path / "new")
    chain.write_bytes(new_chain.read_bytes())
    assert certificate.context() is former
    assert "the former one is" in caplog.text
    key.write_bytes(new_key.read_bytes())
    assert certificate.context() is not former


def test_a_certificate_that_vanishes_stays_in_use(tmp_path: Path) -> None:
    chain, key = write_certificate(tmp_path)
    certificate = Certificate(chain, key)
    former = certificate.context()
    chain.unlink()
    assert certificate.context() is former
    certificate.reload()
    assert certificate.context() is former


def test_reload_takes_the_files_as_they_are(certificate: Certificate) -> None:
    former = certificate.context()
    assert certificate.context() is former
    certificate.reload()
    assert certificate.context() is not former


def test_a_start_without_a_certificate_is_refused(tmp_path: Path) -> None:
    chain, key = write_certificate(tmp_path)
    key.write_text("no key")
    with pytest.raises(OperationError, match=r"chain\.pem cannot be used"):
        Certificate(chain, key)


async def _begin_tls(client: Client) -> Client:
    """The same connection inside TLS."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    transport = await loop.start_tls(client.writer.transport, protocol, trusting())
    assert transport is not None
    reader.set_transport(transport)
    return Client(reader, asyncio.StreamWriter(transport, protocol, reader, loop))
