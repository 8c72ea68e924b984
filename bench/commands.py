"""The command that a person runs on a folder of mails, from the start of its interpreter to its end.

``mailguard ingest FOLDER`` reads with as many processes as there are processors, up to four, and stores; what it says
goes nowhere. Its trust check asks a DNS server on loopback that answers at once. ``parsedmarc FOLDER`` is told to be
offline, to be silent and to use as many processes; it stores nothing, or stores in PostgreSQL.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.dns_server import text_server
from bench.mails import AUTHOR, Signer
from bench.report import Target, save, say, table, targets_table
from bench.reports import HOME, PEER, write_mails
from bench.single import command_of_mailguard
from bench.ways import new_database
from tests.store import postgres

MAILS = {1: 2000, 10: 1000}
TURNS = 3
PROCESSES = min(4, os.cpu_count() or 1)

OURS = "mailguard ingest --no-trust"
CHECKED = "mailguard ingest"
PARSING = "parsedmarc, storing nothing"
POSTGRESQL = "parsedmarc → PostgreSQL"


@dataclass(frozen=True, slots=True)
class Servers:
    """What commands connect to; no URL where there is no PostgreSQL."""

    dns_port: int
    postgresql: str


def commands(servers: Servers, mails: Path, place: Path) -> Iterator[tuple[str, list[str]]]:
    """Each command with its label; ``place`` is an empty folder."""
    ours = [command_of_mailguard(), "ingest", str(mails), "--format=ndjson", f"--database={place}/"]
    yield OURS, [*ours[:-1], f"{ours[-1]}a.db", "--no-trust"]
    yield CHECKED, [*ours[:-1], f"{ours[-1]}b.db", f"--domain={AUTHOR}", f"--nameserver=127.0.0.1:{servers.dns_port}"]
    if PEER.exists():
        yield PARSING, _parsedmarc(mails, place / "parsing.ini")
        if servers.postgresql:
            output = f"[postgresql]\nconnection_string = {new_database(servers.postgresql, place.name)}\n"
            yield POSTGRESQL, _parsedmarc(mails, place / "storing.ini", output)


def _parsedmarc(mails: Path, settings: Path, output: str = "") -> list[str]:
    general = f"[general]\noffline = true\nalways_use_local_files = true\nsilent = true\nn_procs = {PROCESSES}\n"
    settings.write_text(general + "save_aggregate = true\n" + output, "utf-8")
    return [str(PEER.with_name("parsedmarc")), "-c", str(settings), str(mails)]


def time_command(command: list[str]) -> float:
    """Seconds until it has ended; raises RuntimeError when it fails."""
    began = time.perf_counter()
    done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    took = time.perf_counter() - began
    if done.returncode or "ERROR" in done.stderr:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-300:]}")
    return took


def measure() -> dict[int, dict[str, float]]:
    """For each number of records in a mail, the fewest seconds that each command took."""
    found: dict[int, dict[str, float]] = {records: {} for records in MAILS}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=HOME / "bench")))
        signer = Signer()
        (folder / "zone.json").write_text(json.dumps(signer.zone), "utf-8")
        url = stack.enter_context(postgres.server()) if postgres.BINARIES else ""
        servers = Servers(stack.enter_context(text_server(folder / "zone.json")), url)
        for records, count in MAILS.items():
            for turn in range(TURNS + 1):
                mails = write_mails(folder / "mails", count, records, turn, signer)
                place = folder / f"place{records}x{turn}"
                place.mkdir()
                for label, command in commands(servers, mails, place):
                    took = time_command(command)
                    if turn:
                        found[records][label] = min(took, found[records].get(label, took))
                shutil.rmtree(mails)
            for label, took in found[records].items():
                say(f"  {count:,} mails of {records} records: {label}: {took:.2f} s")
    return found


def run() -> list[Target]:
    """Measure, save and print; returns the promises (none here)."""
    say("commands")
    found = measure()
    save("commands", {"processes": PROCESSES, "mails": MAILS, "seconds": found})
    rows = [
        (
            *(f"{MAILS[records]:,}", f"{records}", label, f"{took:.2f}", f"{MAILS[records] / took:,.0f}"),
            f"{took_by[PARSING] / took:.2f}×" if PARSING in took_by else "-",
        )
        for records, took_by in found.items()
        for label, took in took_by.items()
    ]
    head = ("mails", "records each", "command", "seconds", "mails/s", "parsedmarc = 1")
    print(table(head, rows), end="\n\n")
    return []


if __name__ == "__main__":
    print(targets_table(run()))
