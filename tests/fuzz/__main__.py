"""``python -m tests.fuzz --seconds 600 --seed 1 [--target xml]``: all targets in turn, for as long as asked.

Ends with 1 where something does not hold. The inputs are then in ``tests/fuzz/cases/``, as short as they get, and
``python -m tests.fuzz --case FILE`` shows what happens.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from tests.fuzz.campaign import Campaign, Finding
from tests.fuzz.targets import TARGETS

_ROUNDS = 50
_MEMORY = 2 * 1024**3


def main() -> int:
    """The command."""
    options = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    options.add_argument("--seconds", type=float, default=600)
    options.add_argument("--seed", type=int, default=int(time.time()))
    options.add_argument("--target", choices=[target.name for target in TARGETS], action="append")
    options.add_argument("--case", type=Path)
    chosen = options.parse_args()
    # An input that makes us take more than this ends in MemoryError, which is a finding.
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    if chosen.case:
        return show(chosen.case)
    findings = fuzz(chosen.seconds, chosen.seed, chosen.target or [target.name for target in TARGETS])
    for finding in findings:
        print(f"{finding.where}\n  {finding.data[:200]!r}\n  kept as {finding.keep()}")
    return 1 if findings else 0


def fuzz(seconds: float, seed: int, names: list[str]) -> list[Finding]:
    """Some rounds of each target, again and again; the first finding of each. A target that has one rests."""
    print(f"fuzzing for {seconds:.0f} s with seed {seed}: {', '.join(names)}", flush=True)
    findings = []
    until = time.monotonic() + seconds
    with ExitStack() as stack:
        campaigns = {
            target.name: Campaign(target, stack.enter_context(target.open()), seed, judge_time=True)
            for target in TARGETS
            if target.name in names
        }
        running = dict(campaigns)
        while running and time.monotonic() < until:
            for name, campaign in list(running.items()):
                if finding := campaign.run(rounds=_ROUNDS):
                    findings.append(finding)
                    del running[name]
                    print(f"found in {name}: {finding.where}", flush=True)
        for name, campaign in campaigns.items():
            print(f"{name}: {campaign.rounds:,} inputs, {campaign.noticed} different things noticed")
    return findings


def show(case: Path) -> int:
    """Try one input again, with everything that Python says."""
    name = case.name.partition("-")[0]
    with next(target for target in TARGETS if target.name == name).open() as check:
        print(*sorted(check(case.read_bytes())), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
