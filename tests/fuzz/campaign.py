"""Trying many inputs on a target, and making short what it did not stand."""

from __future__ import annotations

import hashlib
import time
import traceback
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from tests.fuzz.mutate import mutate

CASES: Final = Path(__file__).parent / "cases"

Check = Callable[[bytes], Collection[str]]
"""Tries one input; what it noticed. Raises where something does not hold."""

_POOL: Final = 400
_SLOW_S: Final = 2.0
"""Processor time for one input of at most 64 KB. It is a finding in a long run only: the suite judges no time."""


@dataclass(frozen=True)
class Target:
    """A reader of ours. ``open`` makes it ready; ``words`` are what its inputs are made of."""

    name: str
    seeds: Callable[[], Sequence[bytes]]
    open: Callable[[], AbstractContextManager[Check]]
    words: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Finding:
    """An input that something does not hold for, and where."""

    target: str
    data: bytes
    where: str

    def keep(self) -> Path:
        """Among the cases of the suite."""
        path = CASES / f"{self.target}-{hashlib.sha256(self.data).hexdigest()[:12]}"
        path.write_bytes(self.data)
        return path


class TooSlow(Exception):
    """An input cost more processor time than any input of its size may."""


class Campaign:
    """``with target.open() as check: Campaign(target, check, seed).run(rounds=300)``."""

    def __init__(self, target: Target, check: Check, seed: int, *, judge_time: bool = False) -> None:
        self.rounds = 0
        self._target = target
        self._check = _timed(check) if judge_time else check
        self._chance = Random(f"{target.name} {seed}")
        self._noticed: set[str] = set()
        self._seeds = list(target.seeds())
        self._pool = list(self._seeds)

    @property
    def noticed(self) -> int:
        """How many different things the target has noticed so far."""
        return len(self._noticed)

    def run(self, *, rounds: int) -> Finding | None:
        """Try so many inputs, or until one is found that something does not hold for."""
        if not self.rounds:
            for seed in self._seeds:
                self._learn(seed, self._check(seed))  # a seed that fails is a mistake in the target
        for _ in range(rounds):
            self.rounds += 1
            data = mutate(self._chance, self._chance.choice(self._pool), self._pool, self._target.words)
            where = self._try(data)
            if where:
                return Finding(self._target.name, self._shortest(data, where), where)
        return None

    def _try(self, data: bytes) -> str:
        try:
            self._learn(data, self._check(data))
        except Exception as error:
            return where_of(error)
        return ""

    def _learn(self, data: bytes, noticed: Collection[str]) -> None:
        if not self._noticed.issuperset(noticed):
            self._noticed.update(noticed)
            self._pool.append(data)
            if len(self._pool) > _POOL:
                del self._pool[self._chance.randrange(len(self._seeds), len(self._pool))]

    def _shortest(self, data: bytes, where: str) -> bytes:
        """Leave out whatever is not needed to fail in the same place; at most a minute."""
        until = time.monotonic() + 60
        step = len(data) // 2
        while step and time.monotonic() < until:
            at = 0
            while at < len(data) and time.monotonic() < until:
                shorter = data[:at] + data[at + step :]
                if self._try(shorter) == where:
                    data = shorter
                else:
                    at += step
            step //= 2
        return data


def where_of(error: Exception) -> str:
    """The kind of an exception and the line of ours that it came from."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "/fuzz/campaign" not in frame.filename]
    last = frames[-1] if frames else None
    place = f"{last.filename.rpartition('/')[2]}:{last.lineno}" if last else "?"
    return (
        f"{type(error).__name__} in {place}: {str(error)[:200]}"
        if isinstance(error, AssertionError)
        else (f"{type(error).__name__} in {place}")
    )


def _timed(check: Check) -> Check:
    def timed(data: bytes) -> Collection[str]:
        began = time.process_time()
        noticed = check(data)
        if time.process_time() - began > _SLOW_S:
            raise TooSlow
        return noticed

    return timed
