"""SMTP sessions of arbitrary bytes against the listener, over loopback."""

from __future__ import annotations

import asyncio
import logging
import re
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Final

from mailguard.ingest.listener import Listener
from mailguard.ingest.tls import Certificate
from tests.certificates import write_certificate
from tests.fuzz.campaign import Check
from tests.ingest.client import ENVELOPE, MAIL, SETTINGS, Inbox

_WAIT_S: Final = 10.0
_OURS: Final = "dmarc@clinic.example.jp"
_REPLY: Final = re.compile(rb"[2-5][0-9][0-9][ -][ -~]*")
_PYTHON: Final = re.compile(rb"Traceback|\w+(?:Error|Exception)\b|\.py\b")
# The line of the DATA command itself may end in a bare line feed; no line of a mail may.
_END: Final = re.compile(rb"(?=(?:\r\n|DATA[ \t]*\n)\.\r\n)", re.IGNORECASE)
_TLS_BEGINS: Final = b"220 2.0.0 Ready to start TLS\r\n"

_ENVELOPE: Final = "\r\n".join(ENVELOPE).encode() + b"\r\n"
_ONE: Final = _ENVELOPE + b"DATA\r\n" + MAIL + b".\r\n"

SESSION_WORDS: Final = (
    *(
        b"EHLO a.example\r\n",
        b"HELO a.example\r\n",
        b"MAIL FROM:<a@b.example>\r\n",
        b"MAIL FROM:<> SIZE=99999999999\r\n",
    ),
    *(
        b"RCPT TO:<dmarc@clinic.example.jp>\r\n",
        b"RCPT TO:<a@b.example>\r\n",
        b"DATA\r\n",
        b"\r\n.\r\n",
        b"\n.\n",
        b"\r.\r",
    ),
    *(
        b"RSET\r\n",
        b"NOOP\r\n",
        b"QUIT\r\n",
        b"STARTTLS\r\n",
        b"AUTH PLAIN AGEAYg==\r\n",
        b"VRFY a\r\n",
        b"BDAT 10 LAST\r\n",
    ),
    *(
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
        b"\r\n\r\n\x00\r\nQUIT\n",
        b" SMTPUTF8",
        b" BODY=8BITMIME",
        b"X" * 1100,
    ),
    *(b"\x16\x03\x01\x02\x00", b"GET / HTTP/1.1\r\n", b"HELP\r\n", b"EXPN a\r\n", b'MAIL FROM:<"a b"@c.example>\r\n'),
)


def session_seeds() -> list[bytes]:
    return [_ONE + b"QUIT\r\n", _ONE * 2, _ENVELOPE + b"RSET\r\n" + _ONE, b"EHLO a.example\r\nSTARTTLS\r\n\x16\x03\x01"]


@contextmanager
def listening_check() -> Iterator[Check]:
    """Sends each input to one listener, which has to stand them all."""
    with asyncio.Runner() as runner, tempfile.TemporaryDirectory() as folder:
        court = _Court(Path(folder))
        runner.run(court.open())
        try:
            yield lambda data: runner.run(court.try_one(data))
        finally:
            runner.run(court.close())


class _Court:
    def __init__(self, folder: Path) -> None:
        settings = replace(SETTINGS, connections_per_minute=10**9, handshake_s=2.0)
        self._inbox = Inbox()
        self._listener = Listener(settings, self._inbox, certificate=Certificate(*write_certificate(folder)))
        self._complaints = _Complaints()

    async def open(self) -> None:
        logging.getLogger("mailguard.ingest").addHandler(self._complaints)
        await self._listener.__aenter__()

    async def close(self) -> None:
        await self._listener.stop()
        logging.getLogger("mailguard.ingest").removeHandler(self._complaints)

    async def try_one(self, data: bytes) -> set[str]:
        """One session: sent in pieces, half closed, and heard to its end."""
        self._inbox.clear()
        self._complaints.texts.clear()
        heard = await self._converse(data)
        assert await self._listener._gate.until_empty(_WAIT_S), "a session has no end"
        self._judge(data, heard)
        return {line[:9].decode("ascii", "replace") for line in heard.split(b"\r\n")} | {f"{len(self._inbox)} mails"}

    async def _converse(self, data: bytes) -> bytes:
        chance = Random(zlib.crc32(data))
        reader, writer = await asyncio.open_connection("127.0.0.1", self._listener.port)
        hearing = asyncio.ensure_future(reader.read())
        try:
            at = 0
            while at < len(data) and not writer.transport.is_closing():
                size = chance.choice((1, 3, 50, 1000, 10**6))
                writer.write(data[at : at + size])
                at += size
                await asyncio.sleep(0)
            writer.write_eof()
        except (OSError, RuntimeError):
            pass  # sent away
        try:
            async with asyncio.timeout(_WAIT_S):
                return await hearing
        except ConnectionError:
            return b""
        finally:
            writer.transport.abort()

    def _judge(self, data: bytes, heard: bytes) -> None:
        assert self._complaints.texts == [], "nothing that a stranger sends is a failure of ours"
        clear, _, _ = heard.partition(_TLS_BEGINS)
        for line in clear.split(b"\r\n")[:-1]:
            assert _REPLY.fullmatch(line), line
            assert not _PYTHON.search(line), line
        ends = len(_END.findall(data))
        assert len(self._inbox) <= ends, "only CRLF, dot, CRLF ends a mail"
        assert clear.count(b"250 2.0.0 OK\r\n") <= len(self._inbox), "each 250 stands for a mail that is kept"
        for mail in self._inbox:
            assert mail.rcpt_to == (_OURS,)
            assert b"\r\n.\r\n" not in b"\r\n" + mail.raw or b"\r\n..\r\n" in data


class _Complaints(logging.Handler):
    """What the listener calls a failure of its own."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())
