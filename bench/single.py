"""One domain: how close an audit comes to the time that its longest chain of dependent questions must take.

The chain is found by driving the same inquiry in virtual time, where each answer takes one unit: that is the least any
implementation could need that asks these questions. Measured with a cold cache, the median of several domains. From the
command line everything counts, from the start of the interpreter to its end.
"""

from __future__ import annotations

import asyncio
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.dns_server import dns_server
from bench.ours import load_plan
from bench.report import Target, save, say, table, targets_table
from bench.zones import Clinics
from mailguard.audit import audit_domain
from mailguard.inquiry import Answer, Inquiry, Question, Together
from mailguard.names import DomainName
from mailguard.resolver import NameServer, Resolver, ResolverSettings
from mailguard.survey import take_survey

DELAY_MS = 20.0
DOMAINS = 15


class VirtualTime:
    """Drives an inquiry in a world where every question takes one unit, and none is asked twice."""

    def __init__(self, source: Callable[[Question], Answer]) -> None:
        self._source = source
        self._ready: dict[Question, int] = {}

    def drive(self, inquiry: Inquiry[Any], now: int = 0) -> tuple[Any, int]:
        """The result, and when it is there."""
        reply: Any = None
        while True:
            try:
                step = inquiry.send(reply)
            except StopIteration as stop:
                return stop.value, now
            if isinstance(step, Together):
                done = [self.drive(branch, now) for branch in step.inquiries]
                reply, now = tuple(result for result, _ in done), max([now, *(end for _, end in done)])
            else:
                now = max([now, *(self._ready.setdefault(question, now + 1) for question in step)])
                reply = tuple(map(self._source, step))


def longest_chain(domain: DomainName, clinics: Clinics) -> int:
    """Dependent questions, one after the other, that the survey of a domain needs at least."""
    survey = take_survey(domain, probe_label="mailguard-probe", knowledge=load_plan().knowledge)
    return VirtualTime(clinics).drive(survey)[1]


def measure_inside(port: int, clinics: Clinics) -> list[tuple[int, float]]:
    """(chain, milliseconds) for each domain; imports and patterns are paid by a domain that does not count."""

    async def one(domain: DomainName) -> float:
        settings = ResolverSettings(nameservers=(NameServer("127.0.0.1", port),))
        async with Resolver(settings) as resolver:
            began = time.perf_counter()
            await audit_domain(domain, load_plan(), resolver)
            return 1000 * (time.perf_counter() - began)

    asyncio.run(one(clinics.domains[-1]))
    return [(longest_chain(domain, clinics), asyncio.run(one(domain))) for domain in clinics.domains[:DOMAINS]]


def time_command(*command: str, runs: int = 7) -> float:
    """Wall-clock milliseconds of a command: the median, after one that warms the file cache.

    Raises RuntimeError when the command fails, since a failure is quick.
    """
    times = []
    for _ in range(runs + 1):
        began = time.perf_counter()
        ended = subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        times.append(1000 * (time.perf_counter() - began))
        if ended.returncode not in (0, 1):  # 1: the audit has findings
            raise RuntimeError(f"{' '.join(command)} ended with {ended.returncode}: {ended.stderr[-300:]}")
    return statistics.median(times[1:])


def command_of_mailguard() -> str:
    """The installed command beside this interpreter."""
    beside = Path(sys.executable).with_name("mailguard")
    return str(beside) if beside.exists() else shutil.which("mailguard") or "mailguard"


def run() -> list[Target]:
    """Measure, save and print; returns the promises."""
    say("one domain")
    clinics = Clinics(DOMAINS + 1)
    mailguard = command_of_mailguard()
    with dns_server(DOMAINS + 1, DELAY_MS) as port:
        inside = measure_inside(port, clinics)
        domain, server = clinics.domains[0], f"127.0.0.1:{port}"
        outside_ms = time_command(mailguard, "audit", domain, "--nameserver", server)
    bare_ms = time_command(sys.executable, "-c", "pass")
    help_ms = time_command(mailguard, "--help")
    ideal_ms = statistics.median(chain * DELAY_MS for chain, _ in inside)
    inside_ms = statistics.median(took for _, took in inside)
    allowed_ms = 1.3 * ideal_ms + 20
    targets = [
        Target("one audit, inside the process", inside_ms, allowed_ms, True, "ms"),
        Target("one audit, from the command line", outside_ms, allowed_ms + 400, True, "ms"),
        Target("mailguard --help", help_ms, 200, True, "ms"),
    ]
    rows = [
        ("longest chain of questions × delay", f"{ideal_ms:.0f} ms"),
        ("one audit, inside the process", f"{inside_ms:.0f} ms"),
        ("one audit, from the command line", f"{outside_ms:.0f} ms"),
        ("mailguard --help", f"{help_ms:.0f} ms"),
        ("python -c pass (the floor)", f"{bare_ms:.0f} ms"),
    ]
    save(
        "single",
        {"delay_ms": DELAY_MS, "domains": inside, "rows": dict(rows), "targets": [each.json for each in targets]},
    )
    print(table(("one domain", "time"), rows), end="\n\n")
    return targets


if __name__ == "__main__":
    print(targets_table(run()))
