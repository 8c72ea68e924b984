"""How soon mail is accepted again after a kill: told always, judged only where somebody asked for a long run.

A busy machine must not make the suite fail, so only a loop whose length was set in the environment has a bound.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Final

BOUND_S: Final = 2.0
_LENGTHS: Final = ("MAILGUARD_KILLS", "MAILGUARD_KILL_ROUNDS")


def tell_starts(what: str, seconds: Sequence[float]) -> None:
    """Write how long the starts took, from the process to its first 220."""
    middle = sorted(seconds)[len(seconds) // 2]
    told = f"{what}: {len(seconds)} starts, first 220 after {middle:.2f} s (median), {max(seconds):.2f} s at the most"
    print(told, file=sys.__stderr__, flush=True)
    if any(name in os.environ for name in _LENGTHS):
        assert max(seconds) < BOUND_S, told
