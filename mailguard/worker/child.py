"""A reading process: mails in, values out, with no way to anything else.

Started by ``readers.py`` as a fresh interpreter with one socket and a bare environment. It ends when the socket does.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import resource
import signal
import socket
from typing import BinaryIO, Final, cast

# All that reading needs is imported before the bounds are set, so that they are about mails alone.
from mailguard.feedback.envelope import ReceivedMail
from mailguard.feedback.mail import read_mail
from mailguard.inquiry import Answer, Question, not_asked, run
from mailguard.trust.authenticate import authenticate
from mailguard.trust.proof import Authentication
from mailguard.worker.wire import LENGTH, Begin, Failure, ReadingSettings, Reply, Request, encode_reply

_MAX_FILES: Final = 64


def main(descriptor: int) -> None:
    """Serve the socket with this number until it is closed at the other end."""
    # A signal to the whole group (Ctrl-C, systemd) is for our parent, who lets us finish and then hangs up.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    # A tenth of a second, and their pages belong to what we started with.
    import dkim  # noqa: F401
    from cryptography.hazmat.primitives.asymmetric import padding, rsa  # noqa: F401

    with socket.socket(fileno=descriptor) as channel, channel.makefile("rwb", buffering=256 * 1024) as both:
        stream = cast(BinaryIO, both)
        settings = pickle.loads(_receive(stream))  # noqa: S301 - from our parent
        start = _size()
        _bound(settings, start)
        _send(stream, encode_reply(Reply()))
        with contextlib.suppress(EOFError, OSError):
            _serve(stream, settings, start)


def _serve(stream: BinaryIO, settings: ReadingSettings, start: int) -> None:
    desk = Desk(settings)
    while True:
        request = pickle.loads(_receive(stream))  # noqa: S301 - from our parent
        _allow_cpu(settings.cpu_s)
        reply = desk.answer(request, tired=_size() - start > settings.memory_bytes // 2)
        _send(stream, reply)
        del request, reply


class Desk:
    """The mails that are being read: each with the answers that have come so far."""

    def __init__(self, settings: ReadingSettings) -> None:
        self._settings = settings
        self._open: dict[int, tuple[Begin, dict[Question, Answer]]] = {}

    def answer(self, request: Request, *, tired: bool = False) -> bytes:
        """Do what is asked as far as it goes. Never raises."""
        try:
            reply = self._answer(request, tired)
            return encode_reply(reply)
        except MemoryError:
            self._open.clear()
            return encode_reply(Reply(failure=Failure.MEMORY, tired=True))
        except Exception as error:  # whatever it is, it must not cost another mail
            self._open.pop(request.number, None)
            return encode_reply(Reply(failure=Failure.ERROR, detail=type(error).__name__, tired=tired))

    def _answer(self, request: Request, tired: bool) -> Reply:
        for number in request.forget:
            self._open.pop(number, None)
        if isinstance(request, Begin):
            self._open[request.number] = (request, {})
            check = request.check
        elif request.number in self._open:
            self._open[request.number][1].update((answer.question, answer) for answer in request.answers)
            check = True
        else:
            return Reply(failure=Failure.UNKNOWN)
        begin, known = self._open[request.number]
        authentication = None
        if check:
            authentication, missing = self._check(begin.mail, known, begin.now)
            if missing:
                return Reply(questions=missing, tired=tired)
        # Only now: what was read can be large, and nobody has to keep it while DNS makes us wait.
        del self._open[request.number]
        settings = self._settings
        contents = read_mail(begin.mail.raw, settings.limits, failure_reports=settings.failure_reports)
        return Reply((), authentication, contents, tired=tired)

    def _check(
        self, mail: ReceivedMail, known: dict[Question, Answer], now: int
    ) -> tuple[Authentication, tuple[Question, ...]]:
        """Who sent it, by the answers that are known; and the questions that were asked in vain.

        Gone through from the start each time: that costs less than a millisecond, and nothing is left standing half
        done. What is not known yet counts as not asked, so that all branches say what they want at once.
        """
        missing: dict[Question, None] = {}

        def look_up(question: Question) -> Answer:
            answer = known.get(question)
            if answer is None:
                missing[question] = None
                return not_asked(question, "pending")
            return answer

        settings = self._settings
        inquiry = authenticate(mail, trusted_hosts=settings.trusted_hosts, limits=settings.limits, now=now)
        return run(inquiry, look_up), tuple(missing)


def _receive(stream: BinaryIO) -> bytes:
    (length,) = LENGTH.unpack(_exactly(stream, LENGTH.size))
    return _exactly(stream, length)


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data


def _send(stream: BinaryIO, data: bytes) -> None:
    stream.write(LENGTH.pack(len(data)))
    stream.write(data)
    stream.flush()


def _bound(settings: ReadingSettings, start: int) -> None:
    """Bounds that the system keeps: address space, open files; and no file, no process, no core can be made."""
    if start:
        _limit(resource.RLIMIT_AS, start + settings.memory_bytes)
    _limit(resource.RLIMIT_NOFILE, _MAX_FILES)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_NPROC, 0)
    _limit(resource.RLIMIT_CORE, 0)


def _limit(kind: int, value: int) -> None:
    with contextlib.suppress(ValueError, OSError):  # a system that does not know this bound
        resource.setrlimit(kind, (value, value))


def _allow_cpu(seconds: int) -> None:
    """Let the system end us after so much work, should nobody be there to do it. Bounded from above only."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = int(usage.ru_utime + usage.ru_stime) + 1
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (used + seconds, hard))


def _size() -> int:
    """Bytes of our address space; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0
