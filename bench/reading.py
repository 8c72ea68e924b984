"""What reading alone costs: mails of 1 to 100,000 records beside a bare floor, and bombs.

The floor is as little as a program can do that reads reports: e-mail parser (compat32), base64, gunzip, expat, a
dictionary of leaves for each record. It knows no bounds, no defects and no odd reports. "Alike" reports repeat
themselves, as real ones do; in "unlike" ones no two records agree in anything.
"""

from __future__ import annotations

import base64
import gzip
import subprocess
import sys
import zlib
from collections.abc import Callable, Sequence
from email import message_from_bytes
from typing import Any
from xml.parsers import expat

from bench.report import Stopwatch, Target, save, say, table, targets_table
from mailguard.feedback.mail import read_mail

RECORD = """  <record>
    <row>
      <source_ip>203.0.{b}.{c}</source_ip>
      <count>{count}</count>
      <policy_evaluated>
        <disposition>none</disposition>
        <dkim>pass</dkim>
        <spf>{spf}</spf>
      </policy_evaluated>
    </row>
    <identifiers>
      <header_from>clinic.example.jp</header_from>
      <envelope_from>{domain}</envelope_from>
    </identifiers>
    <auth_results>
      <dkim>
        <domain>clinic.example.jp</domain>
        <result>pass</result>
        <selector>s{selector}</selector>
      </dkim>
      <spf>
        <domain>{domain}</domain>
        <result>pass</result>
      </spf>
    </auth_results>
  </record>
"""
HEAD = """<?xml version="1.0" encoding="UTF-8" ?>
<feedback>
  <report_metadata>
    <org_name>reporter.example</org_name>
    <email>dmarc@reporter.example</email>
    <report_id>{count}</report_id>
    <date_range><begin>1790000000</begin><end>1790086399</end></date_range>
  </report_metadata>
  <policy_published>
    <domain>clinic.example.jp</domain><adkim>r</adkim><aspf>r</aspf><p>none</p><sp>none</sp><pct>100</pct>
  </policy_published>
"""
MAIL = (
    b"Received: from a.example by b.example; Mon, 21 Sep 2026 00:00:00 +0000\r\nMIME-Version: 1.0\r\n"
    b"Date: Mon, 21 Sep 2026 00:00:00 +0000\r\nMessage-ID: <1@reporter.example>\r\n"
    b"Subject: Report Domain: clinic.example.jp Submitter: reporter.example\r\nFrom: dmarc@reporter.example\r\n"
    b'To: dmarc@clinic.example.jp\r\nContent-Type: multipart/mixed; boundary="000000005f1e8b05"\r\n\r\n'
    b"--000000005f1e8b05\r\nContent-Type: text/plain\r\n\r\nAggregate report.\r\n\r\n--000000005f1e8b05\r\n"
    b'Content-Type: application/gzip; name="reporter.example!clinic.example.jp!1790000000!1790086399.xml.gz"\r\n'
    b"Content-Disposition: attachment;\r\n"
    b' filename="reporter.example!clinic.example.jp!1790000000!1790086399.xml.gz"\r\n'
    b"Content-Transfer-Encoding: base64\r\n\r\n%s--000000005f1e8b05--\r\n"
)
BOMBS = {
    "empty elements, 8 million": b"<feedback>" + b"<a><b/></a>" * 8_000_000,
    "empty elements in a record": b"<feedback><record>" + b"<a><b/></a>" * 8_000_000,
    "empty elements, not well-formed": b"<feedback>&" + b"<a><b/></a>" * 8_000_000,
    "nesting": b"<feedback>" + b"<a>" * 30_000_000,
    "attributes": b"<feedback>" + b"<a b='' c='' d=''/>" * 5_000_000,
    "blanks": b"<feedback>" + b" " * 95_000_000,
    "empty records": b"<feedback>" + b"<record/>" * 8_000_000,
}


def mail_of(data: bytes) -> bytes:
    """A mail that carries this, packed."""
    return MAIL % base64.encodebytes(gzip.compress(data)).replace(b"\n", b"\r\n")


def report_mail(count: int, unlike: bool, first: int = 0) -> bytes:
    """A mail with a report of so many records, the first of which has the number ``first``."""
    parts = [HEAD.format(count=count)]
    for number in range(first, first + count):
        kind = number if unlike else number % 7
        parts.append(
            RECORD.format(
                b=number >> 8 & 255, c=number & 255, count=number % 500 + 1, spf="pass" if kind % 2 else "fail",
                domain=f"d{kind}.example.net", selector=kind if unlike else kind % 3,
            )
        )  # fmt: skip
    return mail_of("".join((*parts, "</feedback>\n")).encode())


def floor(raw: bytes) -> int:
    """Read the records of a mail with as little as possible; how many there were."""
    count = 0
    for part in message_from_bytes(raw).walk():
        data = part.get_payload(decode=True)
        if isinstance(data, bytes) and data.startswith(b"\x1f\x8b"):
            count += len(_leaves(zlib.decompress(data, 31)))
    return count


def _leaves(data: bytes) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    row: dict[str, Any] = {}
    path: list[str] = []
    text: list[str] = []

    def start(name: str, _: dict[str, str]) -> None:
        nonlocal row
        path.append(name)
        text.clear()
        if name == "record":
            row = {}

    def end(name: str) -> None:
        if name == "record":
            rows.append(row)
        elif value := "".join(text).strip():
            row["/".join(path[-2:])] = int(value) if name == "count" else value
        path.pop()
        text.clear()

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text.append
    parser.Parse(data, True)
    return rows


def ours(raw: bytes) -> int:
    """Read a mail as the worker does; how many records were kept."""
    return sum(report.kept for report in read_mail(raw).reports)


def per_mail_s(read: Callable[[bytes], int], rounds: Sequence[Sequence[bytes]], count: int) -> float:
    """CPU seconds a mail, the best of the rounds, each of which has its own mails."""
    best = float("inf")
    for mails in rounds:
        with Stopwatch() as watch:
            for raw in mails:
                if read(raw) != count:
                    raise RuntimeError(f"{read.__name__} did not read {count} records")
        best = min(best, watch.cpu_s / len(mails))
    return best


def measure_mails() -> tuple[dict[str, Any], list[Target]]:
    """Small mails, beside the floor."""
    figures: dict[str, Any] = {}
    targets = []
    for unlike in (False, True):
        for count, mails in ((1, 300), (10, 100), (100, 20), (1000, 3)):
            firsts = [[(turn * mails + one) * count for one in range(mails)] for turn in range(5)]
            rounds = [[report_mail(count, unlike, first) for first in turn] for turn in firsts]
            label = f"{count} {'unlike' if unlike else 'alike'}"
            run = {"floor_ms": 1e3 * per_mail_s(floor, rounds, count)}
            run["ours_ms"] = 1e3 * per_mail_s(ours, rounds, count)
            figures[label] = run
            if count <= 100:
                targets.append(
                    Target(f"reading a mail of {label} records", run["ours_ms"] / run["floor_ms"], 1.5, True, "× floor")
                )
    return figures, targets


_ALONE = """
import re, sys, time
from pathlib import Path
from mailguard.feedback.mail import read_mail

def peak_kb():  # not ru_maxrss, which a process inherits from its parent
    return int(re.search(r"VmHWM:\\s+([0-9]+)", Path("/proc/self/status").read_text())[1])

raw = sys.stdin.buffer.read()
before, begun = peak_kb(), time.process_time()
contents = read_mail(raw)
spent = time.process_time() - begun
print(sum(report.kept for report in contents.reports), spent, peak_kb() - before)
"""


def measure_large() -> tuple[dict[str, Any], list[Target]]:
    """100,000 records, in a process of its own."""
    figures: dict[str, Any] = {}
    targets = []
    for unlike in (False, True):
        raw = report_mail(100_000, unlike)
        done = subprocess.run([sys.executable, "-c", _ALONE], input=raw, capture_output=True, check=True)
        kept, spent, grown = done.stdout.split()
        label = f"100,000 {'unlike' if unlike else 'alike'}"
        figures[label] = {"kept": int(kept), "cpu_s": float(spent), "growth_mb": int(grown) / 1024}
        targets.append(Target(f"memory to read {label} records", int(grown) / 1024, 100, True, "MB"))
        targets.append(Target(f"time to read {label} records", float(spent), 5, True, "s"))
    return figures, targets


def measure_bombs() -> tuple[dict[str, Any], list[Target]]:
    """Small files that become large ones."""
    figures: dict[str, Any] = {}
    targets = []
    for label, data in BOMBS.items():
        raw = mail_of(data)
        cpu_s = per_mail_s(ours, [[raw]] * 5, 0)
        figures[label] = {"kb": len(raw) / 1024, "ms": 1e3 * cpu_s}
        targets.append(Target(f"bomb: {label}", 1e3 * cpu_s, 50, True, "ms"))
    return figures, targets


def run() -> list[Target]:
    """Measure, save and print; returns the promises."""
    say("reading")
    mails, kept_mails = measure_mails()
    large, kept_large = measure_large()
    bombs, kept_bombs = measure_bombs()
    save("reading", {"mails": mails, "large": large, "bombs": bombs})
    rows = [
        (label, f"{one['floor_ms']:.2f}", f"{one['ours_ms']:.2f}", f"{one['ours_ms'] / one['floor_ms']:.2f}×")
        for label, one in mails.items()
    ]
    print(table(("records in a mail", "floor, ms", "mailguard, ms", "mailguard : floor"), rows), end="\n\n")
    grown = [(label, f"{one['cpu_s']:.2f}", f"{one['growth_mb']:.0f}") for label, one in large.items()]
    print(table(("records in a mail", "mailguard, s", "growth, MB"), grown), end="\n\n")
    return [*kept_mails, *kept_large, *kept_bombs]


if __name__ == "__main__":
    print(targets_table(run()))
