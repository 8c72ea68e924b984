"""What a good sender notices while the listener is attacked: ``python -m bench.attacks``.

The listener runs with its default bounds and a spool. Attackers come from 127.0.0.0/24, or from many networks at once
where the attack says so; the good sender from 127.0.200.0/24, with a new connection for each mail.
"""

from __future__ import annotations

import argparse
import asyncio
import smtplib
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from bench.report import Target, save, say, table, targets_table
from bench.smtp_load import RECIPIENT, make_mail
from bench.smtp_server import durable_server

MAILS = 150
SETTLE_S = 1.5
REDIAL_S = 5.0
GOOD_SENDER = "127.0.200.1"
_BEGIN = f"EHLO a.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<{RECIPIENT}>\r\nDATA\r\n".encode()

Attack = Callable[[int, int], Awaitable[None]]
"""What one attacker of many does once, given the port and the attacker's number; it is done again when it ends."""


async def _open(port: int, number: int, many: bool = False) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    source = f"127.{number // 250 + 1}.{number % 250}.1" if many else f"127.0.0.{number % 250 + 1}"
    return await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))


async def _send(port: int, number: int, opening: bytes, block: bytes, blocks: int, pause_s: float = 0.0) -> None:
    reader, writer = await _open(port, number)
    listening = asyncio.create_task(reader.read())
    try:
        writer.write(opening)
        await asyncio.sleep(0.1)
        for _ in range(blocks):
            writer.write(block)
            await writer.drain()
            if pause_s:
                await asyncio.sleep(pause_s)
            if listening.done():
                break
    finally:
        writer.close()
        listening.cancel()


async def idle(port: int, number: int) -> None:
    """2,000 connections from one network that say nothing."""
    reader, writer = await _open(port, number)
    await reader.read()
    writer.close()


async def idle_everywhere(port: int, number: int) -> None:
    """2,000 connections from as many networks that say nothing."""
    reader, writer = await _open(port, number, many=True)
    await reader.read()
    writer.close()


async def drip(port: int, number: int) -> None:
    """Mails that come at one byte a second."""
    await _send(port, number, _BEGIN, b"x", 1000, pause_s=1.0)


async def endless_line(port: int, number: int) -> None:
    """300 MB without a line end, in a mail."""
    await _send(port, number, _BEGIN, b"x" * 65536, 4800)


async def endless_command(port: int, number: int) -> None:
    """300 MB without a line end, as a command."""
    await _send(port, number, b"", b"x" * 65536, 4800)


async def empty_lines(port: int, number: int) -> None:
    """25 MB of empty lines in a mail."""
    await _send(port, number, _BEGIN, b"\r\n" * 32768, 400)


async def recipients(port: int, number: int) -> None:
    """5,000 recipients at once."""
    await _send(port, number, _BEGIN[:-6], f"RCPT TO:<{RECIPIENT}>\r\n".encode() * 100, 50)


async def noops(port: int, number: int) -> None:
    """A million NOOPs."""
    await _send(port, number, b"EHLO a.example\r\n", b"NOOP\r\n" * 1000, 1000)


async def hang_up(port: int, number: int) -> None:
    """Whole mails of 1 MB whose sender is gone before it is answered."""
    _, writer = await _open(port, number, many=True)
    writer.write(_BEGIN + make_mail(1_000_000))
    await writer.drain()
    writer.transport.abort()


async def deaf(port: int, number: int) -> None:
    """Endless commands from a peer that never reads an answer."""
    _, writer = await _open(port, number)
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    try:
        for _ in range(1000):
            writer.write(b"RSET\r\n" * 1000)
            async with asyncio.timeout(10):
                await writer.drain()
    finally:
        writer.transport.abort()


async def knock(port: int, number: int) -> None:
    """Connections, one after the other, that are closed at once."""
    for _ in range(20):
        _, writer = await _open(port, number, many=True)
        writer.transport.abort()


ATTACKS: dict[str, tuple[Attack, int]] = {
    attack.__name__: (attack, count)
    for attack, count in (
        (idle, 2000),
        (idle_everywhere, 2000),
        (drip, 100),
        (endless_line, 20),
        (endless_command, 20),
        (empty_lines, 20),
        (recipients, 20),
        (noops, 20),
        (hang_up, 20),
        (deaf, 20),
        (knock, 20),
    )
}


async def attack(name: str, port: int) -> None:
    """Go on attacking until the process is ended."""
    once, count = ATTACKS[name]

    async def again(number: int) -> None:
        while True:
            with suppress(OSError, TimeoutError):
                await once(port, number)
            await asyncio.sleep(REDIAL_S if count > 100 else 0.2)

    await asyncio.gather(*(again(number) for number in range(count)))


def send_good_mails(port: int) -> tuple[list[float], int]:
    """Send mails one after the other; the seconds each took from connecting to its 250, and how many were refused."""
    mail = make_mail(20_000)[:-3]
    took, refused = [], 0
    for _ in range(MAILS):
        began = time.perf_counter()
        try:
            with smtplib.SMTP("127.0.0.1", port, "good.example", 10, source_address=(GOOD_SENDER, 0)) as smtp:
                smtp.sendmail("dmarc@reporter.example", [RECIPIENT], mail)
        except (smtplib.SMTPException, OSError):
            refused += 1
        took.append(time.perf_counter() - began)
    return sorted(took), refused


def measure(name: str) -> tuple[str, float, float, int, float]:
    """Attack a listener: the good sender's p50 and p99 in ms, its refused mails, and the listener's memory in MB."""
    with durable_server() as server:
        attacker = subprocess.Popen([sys.executable, "-m", "bench.attacks", f"--attack={name}", str(server.port)])
        try:
            time.sleep(SETTLE_S)
            took, refused = send_good_mails(server.port)
            if attacker.poll() is not None:
                raise RuntimeError(f"the attack {name} ended before the good sender did")
        finally:
            attacker.kill()
            attacker.wait()
        peak = server.figures()["peak_mb"]
    p50, p99 = took[len(took) // 2] * 1e3, took[int(len(took) * 0.99)] * 1e3
    say(f"  {name}: p50 {p50:.0f} ms, p99 {p99:.0f} ms, {refused} refused, {peak:.0f} MB")
    return name, p50, p99, refused, peak


def run() -> list[Target]:
    """Measure, save and print; returns the promises."""
    say("attacks")
    runs = [measure(name) for name in ATTACKS]
    targets = [
        Target("good sender's p99 in the worst attack", max(run[2] for run in runs), 1000, upper=True, unit="ms"),
        Target("good mails refused, all attacks", sum(run[3] for run in runs), 0, upper=True),
        Target("listener's peak memory in the worst attack", max(run[4] for run in runs), 300, upper=True, unit="MB"),
    ]
    keys = ("attack", "p50_ms", "p99_ms", "refused", "peak_mb")
    save("attacks", {"runs": [dict(zip(keys, run, strict=True)) for run in runs], "targets": [t.json for t in targets]})
    rows = [(run[0].replace("_", " "), f"{run[1]:.0f}", f"{run[2]:.0f}", f"{run[3]}", f"{run[4]:.0f}") for run in runs]
    print(table(("attack", "p50 ms", "p99 ms", "refused", "peak MB"), rows), end="\n\n")
    return targets


def main() -> None:
    """Measure all, or be the attacker of one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attack", choices=ATTACKS)
    parser.add_argument("port", type=int, nargs="?", default=0)
    options = parser.parse_args()
    if options.attack:
        asyncio.run(attack(options.attack, options.port))
    else:
        print(targets_table(run()))


if __name__ == "__main__":
    main()
