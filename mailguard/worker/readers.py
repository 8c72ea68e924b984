"""The reading processes: a few, long-lived, each replaced when it crashes, hangs or grows."""

from __future__ import annotations

import asyncio
import io
import itertools
import json
import logging
import os
import pickle
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from mailguard.errors import OperationError
from mailguard.feedback.envelope import ReceivedMail
from mailguard.feedback.mail import MailContents
from mailguard.inquiry import Answer, Question
from mailguard.spool.reason import Reason
from mailguard.trust.proof import Authentication
from mailguard.worker.reasons import ASKED_TOO_MUCH, TOOK_TOO_LONG, TOOK_TOO_MUCH_MEMORY
from mailguard.worker.wire import (
    LENGTH,
    MAX_REPLY_BYTES,
    Begin,
    Continue,
    Failure,
    ReadingSettings,
    Reply,
    Request,
    decode_reply,
)

log = logging.getLogger(__name__)

Ask = Callable[[tuple[Question, ...]], Awaitable[tuple[Answer, ...]]]
"""Answers the questions of one mail; must come to an end."""

Gate = Callable[[], Awaitable[object]]
"""Returns when more may be read. Asked before each reply is taken; a process waits until its reply is taken."""

START_S: Final = 60.0
"""How long a process may take until it is ready; usually a fifth of a second."""

MAX_ROUNDS: Final = 100

_WINDOW: Final = 8
"""Requests to one process that may be under way, so that it never waits for us."""

_BOOT: Final = (
    "import importlib, json, sys; sys.path[:] = json.loads(sys.argv[3]); "
    "importlib.import_module(sys.argv[2]).main(int(sys.argv[1]))"
)

# Where Python and its libraries lie. Nothing else: secrets may stand in our environment.
_ENVIRONMENT: Final = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR")


class ReadFailed(Exception):
    """A mail could not be read within the bounds."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(str(reason))
        self.reason: Final = reason


class _Gone(Exception):
    """The process ended while it was working on another mail; this one is to be begun again."""


@dataclass(frozen=True, slots=True)
class ReadMail:
    """What was read of a mail; ``authentication`` where it was asked for."""

    contents: MailContents
    authentication: Authentication | None


class _Process:
    """One process and the socket to it. Requests are answered in their order, and a few may be under way at a time.

    The process works on one request after the other and answers each before it looks at the next. So whatever happens
    to it is the fault of the first request that has no reply.
    """

    def __init__(self, settings: ReadingSettings, mail_s: float, gate: Gate, program: str) -> None:
        self.open: set[int] = set()
        self.forget: list[int] = []
        self.tired = False
        self._settings = settings
        self._mail_s = mail_s
        self._gate = gate
        self._unanswered: deque[asyncio.Future[Reply]] = deque()
        self._news = asyncio.Event()
        self._window = asyncio.Semaphore(_WINDOW)
        self._sending = asyncio.Lock()
        self._child, self._channel = _spawn(program)
        self._listening: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._child.pid

    @property
    def alive(self) -> bool:
        """Whether the process can be asked."""
        return self._channel.fileno() >= 0 and self._child.poll() is None

    async def request(self, request: Request) -> Reply:
        """Ask, and wait for the reply. Raises ReadFailed where this request is to blame, else _Gone."""
        async with self._window:
            reply = await (await self._ask(request))
        self.tired |= reply.tired
        if reply.failure is Failure.MEMORY:
            raise ReadFailed(TOOK_TOO_MUCH_MEMORY)
        if reply.failure is Failure.ERROR:
            raise ReadFailed(Reason("failed-in-us", {"kind": reply.detail}))
        if reply.failure is Failure.UNKNOWN:
            raise _Gone
        return reply

    def stop(self, blame: Exception | None = None) -> None:
        """End the process at once. The request that it works on gets ``blame``, the others are to be begun again."""
        if self._listening is not None and self._listening is not _current_task():
            self._listening.cancel()
        self._hang_up()
        self._child.kill()
        self._child.wait()  # killed, so this is a matter of microseconds
        for reply in self._unanswered:
            if not reply.done():
                reply.set_exception(blame or _Gone())
            blame = None
        self._unanswered.clear()

    def _hang_up(self) -> None:
        """Close the channel. The loop must know no more of it, since the next process may be given its number."""
        if self._channel.fileno() < 0:
            return
        with suppress(RuntimeError):  # no loop runs
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._channel)
            loop.remove_writer(self._channel)
        self._channel.close()

    async def _ask(self, request: Request) -> asyncio.Future[Reply]:
        """Send a request; what will be its reply."""
        async with self._sending:
            if self._listening is None and self.alive:
                await self._start()
            if not self.alive:
                raise _Gone
            if self.forget:
                request = request._replace(forget=tuple(self.forget))
                self.forget.clear()
            reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
            self._unanswered.append(reply)
            self._news.set()
            try:
                await self._send(pickle.dumps(request, protocol=5))
            except OSError:
                pass  # whoever listens finds out why
            except BaseException:
                self.stop()  # half a request is no request
                raise
        return reply

    async def _start(self) -> None:
        try:
            async with asyncio.timeout(START_S):
                await self._send(pickle.dumps(self._settings))
                await self._receive()
        except (TimeoutError, OSError, EOFError, ValueError) as error:
            self.stop()
            raise OperationError(
                "A process for reading mails did not start ({reason}).", reason=type(error).__name__
            ) from error
        except BaseException:
            self.stop()
            raise
        self._listening = asyncio.create_task(self._listen(), name="reading process")

    async def _listen(self) -> None:
        """Take replies until the process ends, and say whose fault that was."""
        while True:
            while not self._unanswered:
                self._news.clear()
                await self._news.wait()
            # Nothing more is taken while there is too much already; that time does not count against the mail.
            await self._gate()
            try:
                async with asyncio.timeout(self._mail_s):
                    reply = decode_reply(await self._receive())
            except TimeoutError:
                self.stop(ReadFailed(TOOK_TOO_LONG))
                return
            except (OSError, EOFError, ValueError):
                self.stop(ReadFailed(self._why_it_ended()))
                return
            waiting = self._unanswered.popleft()
            if not waiting.done():
                waiting.set_result(reply)
            if reply.failure is Failure.MEMORY:
                self.stop()
                return

    def _why_it_ended(self) -> Reason:
        try:
            code = self._child.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            code = 0
        if code == -signal.SIGXCPU:
            return TOOK_TOO_LONG
        return Reason("crashed", {"code": code})

    async def _send(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self._channel, LENGTH.pack(len(data)) + data)

    async def _receive(self) -> bytes:
        (length,) = LENGTH.unpack(await self._exactly(LENGTH.size))
        if length > MAX_REPLY_BYTES:
            raise ValueError("the reply is too long")
        return await self._exactly(length)

    async def _exactly(self, size: int) -> bytes:
        # Received where it stays: a reply of 10 MB is not held twice, as a bytearray would be once it is read.
        data, loop = io.BytesIO(), asyncio.get_running_loop()
        data.seek(size - 1)
        data.write(b"\0")
        with data.getbuffer() as room:
            view = room
            while view:
                got = await loop.sock_recv_into(self._channel, view)
                if not got:
                    raise EOFError
                view = view[got:]
            view.release()
        return data.getvalue()


def _spawn(program: str) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """A fresh interpreter with one end of a socket pair, and the other end."""
    ours, theirs = socket.socketpair()
    with theirs:
        child = subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-I", "-c", _BOOT, str(theirs.fileno()), program, json.dumps(sys.path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=(theirs.fileno(),),
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
        )
    ours.setblocking(False)
    return child, ours


def _current_task() -> asyncio.Task[object] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None  # no loop runs


class Readers:
    """``async with Readers(settings, processes=2) as readers: await readers.read(mail, ask)``.

    Bounds: ``mail_s`` seconds for each step of reading a mail (waiting for DNS is none), ``settings.memory_bytes`` and
    ``settings.cpu_s`` in the process; a mail that goes beyond them fails, and no other. Processes are started when they
    are needed.
    """

    def __init__(
        self,
        settings: ReadingSettings,
        *,
        processes: int = 2,
        mail_s: float = 10.0,
        gate: Gate | None = None,
        program: str = "mailguard.worker.child",
    ) -> None:
        self._settings = settings
        self._mail_s = mail_s
        self._gate = gate or _open_gate
        self._program = program
        self._places: list[_Process | None] = [None] * max(1, processes)
        self._all: set[_Process] = set()
        self._numbers = itertools.count(1)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._all:
            process.stop()
        self._all.clear()
        self._places = [None] * len(self._places)

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes that are alive; for tests and for people who look for a culprit."""
        return tuple(process.pid for process in self._all if process.alive)

    async def read(self, mail: ReceivedMail, ask: Ask | None = None, now: int = 0) -> ReadMail:
        """Read a mail; with ``ask``, find out first who sent it, ``now`` as for ``authenticate``.

        Raises ReadFailed when this mail goes beyond the bounds or makes the process crash, OperationError when no
        process can be started.
        """
        while True:
            process = self._choose()
            number = next(self._numbers)
            process.open.add(number)
            try:
                return await self._converse(process, Begin(number, mail, check=ask is not None, now=now), ask)
            except _Gone:
                continue
            finally:
                self._leave(process, number)

    async def _converse(self, process: _Process, begin: Begin, ask: Ask | None) -> ReadMail:
        reply = await process.request(begin)
        for _ in range(MAX_ROUNDS):
            if not reply.questions:
                assert reply.contents is not None
                process.open.discard(begin.number)  # it has forgotten the mail itself
                return ReadMail(reply.contents, reply.authentication)
            assert ask is not None
            answers = await ask(reply.questions)
            reply = await process.request(Continue(begin.number, answers))
        raise ReadFailed(ASKED_TOO_MUCH)

    def _choose(self) -> _Process:
        """The process with the fewest open mails; the place of one that is gone or tired is filled anew."""
        for place, process in enumerate(self._places):
            if process is not None and (process.tired or not process.alive):
                self._places[place] = None
                self._let_go(process)
        free = [process for process in self._places if process is not None and not process.open]
        if free:
            return free[0]
        if None in self._places:
            process = _Process(self._settings, self._mail_s, self._gate, self._program)
            self._places[self._places.index(None)] = process
            self._all.add(process)
            return process
        return min((process for process in self._places if process is not None), key=lambda one: len(one.open))

    def _leave(self, process: _Process, number: int) -> None:
        if number in process.open:
            process.open.discard(number)
            process.forget.append(number)
        if process not in self._places:
            self._let_go(process)

    def _let_go(self, process: _Process) -> None:
        """A process that lost its place ends with its last mail."""
        if not process.open or not process.alive:
            process.stop()
            self._all.discard(process)


async def _open_gate() -> None:
    return
