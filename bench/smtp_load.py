"""Sends mails to a listener over many connections at once and measures: ``python -m bench.smtp_load PORT ...``.

One process, one epoll loop, everything that is sent made beforehand, so that it costs little beside the listener. A
conversation is that of an ordinary sender: MAIL, RCPT, DATA and the mail, each after the reply to the one before.
"""

from __future__ import annotations

import argparse
import json
import select
import socket
import time
from collections.abc import Iterator
from contextlib import suppress

RECIPIENT = "dmarc@clinic.example.jp"
_COMMANDS = (b"MAIL FROM:<dmarc@reporter.example>\r\n", f"RCPT TO:<{RECIPIENT}>\r\n".encode(), b"DATA\r\n")
_WANTED = (b"250", b"250", b"354", b"250")


def make_mail(size: int) -> bytes:
    """A mail of so many bytes with its end, like a report: headers, then base64."""
    head = b"From: dmarc@reporter.example\r\nSubject: Report domain: clinic.example.jp\r\n\r\n"
    line = b"UEsDBBQAAAAIAAAAIQC2gziS/gAAAOkBAAALAAAAX3JlbHMvLnJlbHOtks9KxDAQxu8L\r\n"
    return head + line * max(1, (size - len(head)) // len(line)) + b".\r\n"


class _Conversation:
    """One connection, which sends its mails one after the other."""

    def __init__(self, port: int, mails: int, payload: bytes, source: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), source_address=(source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.left = mails
        self.took: list[float] = []
        self._said = iter(self._say_all(payload))
        self._read = b""
        self._expect(b"220")
        self.socket.sendall(b"EHLO load.example\r\n")
        self._expect(b"250 ")
        self.socket.setblocking(False)
        self._unsent = memoryview(b"")

    def _expect(self, code: bytes) -> None:
        while not (self._read.endswith(b"\n") and self._read.splitlines()[-1].startswith(code)):
            block = self.socket.recv(4096)
            if not block:
                raise ConnectionError(self._read.decode())
            self._read += block
        self._read = b""

    def _say_all(self, payload: bytes) -> Iterator[tuple[bytes, bytes]]:
        while self.left:
            for said in zip((*_COMMANDS, payload), _WANTED, strict=True):
                self._began = time.perf_counter() if said[0] is payload else 0.0
                yield said
            self.took.append(time.perf_counter() - self._began_data)
            self.left -= 1

    def go_on(self) -> bool:
        """Take a reply if it is whole and send what comes next; false when all is sent."""
        if self._unsent:
            return self._send()
        with suppress(BlockingIOError):
            self._read += self.socket.recv(4096)
            if not self._read.endswith(b"\n"):
                return True
            if not self._read.startswith(self._wanted):
                raise ConnectionError(f"{self._wanted!r} wanted, {self._read!r} said")
            self._read = b""
            return self.begin()
        return True

    def begin(self) -> bool:
        """Send what comes next; false when there is nothing."""
        following = next(self._said, None)
        if following is None:
            return False
        text, self._wanted = following
        if self._began:
            self._began_data = self._began
        self._unsent = memoryview(text)
        return self._send()

    def _send(self) -> bool:
        with suppress(BlockingIOError):
            while self._unsent:
                self._unsent = self._unsent[self.socket.send(self._unsent) :]
        return True

    @property
    def waits_to_send(self) -> bool:
        """Whether the socket took only a part."""
        return bool(self._unsent)


class _Crowd:
    """Conversations side by side. Where ``to_open`` are left, the end of one is the beginning of the next."""

    def __init__(self, port: int, to_open: int, mails_each: int, payload: bytes) -> None:
        self._port = port
        self._to_open = to_open
        self._mails_each = mails_each
        self._payload = payload
        self._talks: dict[int, _Conversation] = {}
        self._poll = select.epoll()
        self.took: list[float] = []

    def open(self) -> _Conversation:
        """One more, greeted and waiting to begin."""
        self._to_open -= 1
        talk = _Conversation(self._port, self._mails_each, self._payload, "127.0.0.1")
        self._talks[talk.socket.fileno()] = talk
        self._poll.register(talk.socket, select.EPOLLIN)
        return talk

    def run(self) -> float:
        """Let all of them talk to the end; in how many seconds."""
        began = time.perf_counter()
        for talk in self._talks.values():
            talk.begin()
        while self._talks:
            for file, _ in self._poll.poll():
                self._go_on(file, self._talks[file])
        return time.perf_counter() - began

    def _go_on(self, file: int, talk: _Conversation) -> None:
        if talk.go_on():
            self._poll.modify(file, select.EPOLLOUT if talk.waits_to_send else select.EPOLLIN)
        else:
            self._end(file)

    def _end(self, file: int) -> None:
        self._poll.unregister(file)
        talk = self._talks.pop(file)
        talk.socket.close()
        self.took.extend(talk.took)
        if self._to_open:
            self.open().begin()


def drive(port: int, connections: int, mails: int, size: int, anew: bool = False) -> dict[str, float]:
    """Send ``mails`` mails on each connection; seconds, mails per second, and latencies of the DATA phase in ms.

    ``anew``: as many, but each on a new connection, so many of which are open at a time.
    """
    payload = make_mail(size)
    crowd = _Crowd(port, connections * mails if anew else connections, 1 if anew else mails, payload)
    for _ in range(connections):
        crowd.open()
    seconds = crowd.run()
    took = sorted(crowd.took)
    return {
        "seconds": seconds,
        "per_s": len(took) / seconds,
        "mb_per_s": len(took) * len(payload) / seconds / 1e6,
        "p50_ms": took[len(took) // 2] * 1e3,
        "p99_ms": took[int(len(took) * 0.99)] * 1e3,
    }


def main() -> None:
    """Send, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--connections", type=int, default=20)
    parser.add_argument("--mails", type=int, default=100, help="on each connection")
    parser.add_argument("--size", type=int, default=20_000)
    parser.add_argument("--anew", action="store_true", help="a new connection for each mail")
    options = parser.parse_args()
    print(json.dumps(drive(options.port, options.connections, options.mails, options.size, options.anew)))


if __name__ == "__main__":
    main()
