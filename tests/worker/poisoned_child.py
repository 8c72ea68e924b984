"""A reading process that does what a hostile mail might make it do, if its header asks for it."""

from __future__ import annotations

import os
import re
import signal
from typing import Any

from mailguard.worker import child

_real = child.read_mail


def _read_mail(raw: bytes, *args: Any, **named: Any) -> Any:
    found = re.search(rb"^X-Poison: (\w+)", raw, re.MULTILINE)
    kind = found[1].decode() if found else ""
    if kind == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if kind == "exit":
        os._exit(0)
    if kind == "hang":
        signal.pause()
    if kind == "spin":
        while True:
            pass
    if kind == "grow":
        hoard = []
        while True:
            hoard.append(bytearray(10_000_000))
    if kind == "raise":
        raise RuntimeError("something that nobody thought of")
    if kind == "swell":
        _kept.append(bytearray(150_000_000))
    return _real(raw, *args, **named)


_kept: list[bytearray] = []


def main(descriptor: int) -> None:
    child.read_mail = _read_mail  # type: ignore[assignment]
    child.main(descriptor)
