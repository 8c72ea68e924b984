"""A bound on memory while templates of a brand run, kept by the system.

A template can repeat a text a milliard times, in more ways than a sandbox can forbid one by one. The folder is the
consultant's own, so this guards against slips: they end with a sentence and not with the memory of the machine.
"""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Iterator
from typing import Final

MAX_BYTES: Final = 2**30
"""Of address space, on top of what the process has when a template begins. A guide of 200 pages takes a tenth."""


@contextlib.contextmanager
def bounded_memory(more: int = MAX_BYTES) -> Iterator[None]:
    """Within it, whoever wants more gets MemoryError. Where the system does not tell or cannot, there is no bound."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = _size() + more
    if wanted == more or (soft != resource.RLIM_INFINITY and soft <= wanted):
        yield
        return
    _limit(wanted, hard)
    try:
        yield
    finally:
        _limit(soft, hard)


def _limit(soft: int, hard: int) -> None:
    with contextlib.suppress(ValueError, OSError):  # a system that does not know this bound
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _size() -> int:
    """Bytes of our address space; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    except (OSError, ValueError, IndexError):
        return 0
