"""An IMAP server that says what a test wants, to see what a real one seldom shows: refusals, lies and old habits."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress

Answer = Callable[[str, str], bytes | None]
"""(tag, command) to what is sent instead of the usual answer; None for the usual one."""


class ScriptedImap:
    """``with ScriptedImap(capabilities, answer) as server: ...``; ``said`` is what the client said, without tags."""

    def __init__(
        self, capabilities: str = "IMAP4rev1 IDLE MOVE UIDPLUS", answer: Answer = lambda tag, line: None
    ) -> None:
        self._capabilities = capabilities
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.said: list[str] = []

    def __enter__(self) -> ScriptedImap:
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as stream, suppress(OSError):
                stream.write(b"* OK ready\r\n")
                stream.flush()
                while line := stream.readline():
                    stream.write(self._reply(line.decode().rstrip("\r\n")))
                    stream.flush()

    def _reply(self, line: str) -> bytes:
        tag, _, command = line.partition(" ")
        if not command:  # the end of IDLE, or an answer to a challenge
            self.said.append(line)
            return self._answer("", line) or b""
        self.said.append(command)
        special = self._answer(tag, command)
        return special if special is not None else self._usual(tag, command)

    def _usual(self, tag: str, command: str) -> bytes:
        untagged = ""
        if command == "CAPABILITY":
            untagged = f"* CAPABILITY {self._capabilities}\r\n"
        elif command.startswith(("EXAMINE", "SELECT")):
            untagged = "* 1 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n"
        elif command.startswith("UID SEARCH"):
            untagged = "* SEARCH 5\r\n"
        elif command.startswith("LIST"):
            untagged = '* LIST () "/" done\r\n'
        return f"{untagged}{tag} OK done\r\n".encode()
