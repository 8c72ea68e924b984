"""A peer that says exactly what it is told to say, and a listener for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from mailguard.feedback.envelope import ReceivedMail
from mailguard.ingest.listener import Listener, ListenerSettings

SETTINGS = ListenerSettings(addresses=("dmarc@clinic.example.jp",), hostname="reports.example.jp")
MAIL = b"From: dmarc@reporter.example\r\nSubject: x\r\n\r\n.hello\r\n"
ENVELOPE = ("EHLO a.example", "MAIL FROM:<dmarc@reporter.example>", "RCPT TO:<DMARC@clinic.example.jp>")


class Client:
    """A peer that says exactly what it is told to say."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def reply(self) -> str:
        """One reply, all lines; empty when the connection was closed."""
        lines = []
        async with asyncio.timeout(5):
            while line := await self.reader.readline():
                lines.append(line.decode().rstrip())
                if line[3:4] != b"-":
                    break
        return "\n".join(lines)

    async def say(self, line: str) -> str:
        self.writer.write(line.encode() + b"\r\n")
        return await self.reply()

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def is_let_go(self) -> bool:
        """Whether the connection ends without another word."""
        try:
            return await self.reply() == ""
        except ConnectionError:
            return True

    async def begin(self, *lines: str) -> str:
        answer = await self.reply()
        for line in lines:
            answer = await self.say(line)
        return answer


@asynccontextmanager
async def listening(
    deliver: Callable[[ReceivedMail], Awaitable[None]], settings: ListenerSettings = SETTINGS, **more: Any
) -> AsyncIterator[tuple[Listener, Callable[..., Awaitable[Client]]]]:
    clients: list[Client] = []

    async def connect(source: str = "127.0.0.1") -> Client:
        opened = await asyncio.open_connection("127.0.0.1", listener.port, local_addr=(source, 0))
        clients.append(Client(*opened))
        return clients[-1]

    async with Listener(settings, deliver, now=lambda: 1790000000.5, **more) as listener:
        try:
            yield listener, connect
        finally:
            for client in clients:
                client.writer.close()


class Inbox(list[ReceivedMail]):
    async def __call__(self, mail: ReceivedMail) -> None:
        self.append(mail)
