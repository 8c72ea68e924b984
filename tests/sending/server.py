"""A mail server on loopback that does what a test wants of it, and keeps what it was handed."""

from __future__ import annotations

import asyncio
import base64
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message

TAKES = "250 2.0.0 queued"
SILENCE = ""


class Cut(Exception):
    """The server hangs up without a word."""


def takes(_: str) -> str:
    return TAKES


@dataclass
class Delivery:
    """What was handed over and taken."""

    mail_from: str
    rcpt_to: str
    raw: bytes

    @property
    def mail(self) -> Message:
        return message_from_bytes(self.raw)


@dataclass
class MailServer:
    """``on_...`` answer one step of the conversation; they may raise Cut. ``taken`` are mails that got a 2xx."""

    on_mail: Callable[[str], str] = takes
    on_rcpt: Callable[[str], str] = takes
    on_dot: Callable[[str], str] = takes
    tls: ssl.SSLContext | None = None
    encrypted_at_once: bool = False
    login: tuple[str, str] | None = None
    extensions: tuple[str, ...] = ("DSN",)
    port: int = 0
    taken: list[Delivery] = field(default_factory=list)
    seen: list[Delivery] = field(default_factory=list)  # whole to the final dot, whatever was answered
    commands: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _Conversation(self, reader, writer).run()
        except (Cut, ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


class _Conversation:
    def __init__(self, server: MailServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server, self.reader, self.writer = server, reader, writer
        self.is_encrypted, self.is_logged_in = server.encrypted_at_once, False
        self.mail_from = self.rcpt_to = ""

    async def run(self) -> None:
        await self.say("220 mail.consult.example.jp ESMTP")
        while line := (await self.reader.readline()).decode().strip():
            self.server.commands.append(line)
            verb = line.split()[0].upper()
            if verb == "QUIT":
                await self.say("221 2.0.0 bye")
                return
            await self.answer(verb, line)

    async def answer(self, verb: str, line: str) -> None:
        match verb:
            case "EHLO":
                await self.greet()
            case "STARTTLS":
                assert self.server.tls is not None
                await self.say("220 2.0.0 go ahead")
                await self.writer.start_tls(self.server.tls)
                self.is_encrypted = True
            case "AUTH":
                await self.log_in(line)
            case "MAIL":
                self.mail_from = _path(line)
                wants = self.server.login and not self.is_logged_in
                await self.say("530 5.7.0 log in first" if wants else self.server.on_mail(self.mail_from))
            case "RCPT":
                self.rcpt_to = _path(line)
                await self.say(self.server.on_rcpt(self.rcpt_to))
            case "DATA":
                await self.data()
            case _:
                await self.say("250 2.0.0 ok")

    async def greet(self) -> None:
        words = ["mail.consult.example.jp", *self.server.extensions]
        if self.server.tls and not self.is_encrypted:
            words.append("STARTTLS")
        if self.server.login:
            words.append("AUTH PLAIN")
        for word in words[:-1]:
            self.writer.write(f"250-{word}\r\n".encode())
        await self.say(f"250 {words[-1]}")

    async def log_in(self, line: str) -> None:
        _, user, password = base64.b64decode(line.split()[2]).decode().split("\0")
        self.is_logged_in = (user, password) == self.server.login
        await self.say("235 2.7.0 welcome" if self.is_logged_in else "535 5.7.8 bad credentials")

    async def data(self) -> None:
        await self.say("354 go ahead")
        lines = []
        while (line := await self.reader.readline()) != b".\r\n":
            if not line:
                raise Cut
            lines.append(line.removeprefix(b"."))
        delivery = Delivery(self.mail_from, self.rcpt_to, b"".join(lines))
        self.server.seen.append(delivery)
        answer = self.server.on_dot(self.rcpt_to)
        if answer == SILENCE:
            await self.reader.read()  # until the client has enough
            raise Cut
        if answer.startswith("2"):
            self.server.taken.append(delivery)
        await self.say(answer)

    async def say(self, line: str) -> None:
        self.writer.write(f"{line}\r\n".encode())
        await self.writer.drain()


def _path(line: str) -> str:
    return line[line.index("<") + 1 : line.index(">")]


@contextmanager
def running(server: MailServer) -> Iterator[MailServer]:
    """Serve in a thread, for commands that run in processes or loops of their own."""
    loop = asyncio.new_event_loop()
    ready, end = threading.Event(), asyncio.Event()

    async def main() -> None:
        listening = await asyncio.start_server(
            server.serve, "127.0.0.1", 0, limit=2**26, ssl=server.tls if server.encrypted_at_once else None
        )
        server.port = listening.sockets[0].getsockname()[1]
        ready.set()
        await end.wait()
        listening.close()
        await listening.wait_closed()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    thread = threading.Thread(target=loop.run_until_complete, args=(main(),))
    thread.start()
    try:
        assert ready.wait(10)
        yield server
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join(10)
        loop.close()
