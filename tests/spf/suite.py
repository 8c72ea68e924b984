"""Fetching the public SPF test suite, and serving its zones.

The suite is not ours to ship: it is taken out of the source distribution of pyspf, downloaded once by pip into the
project's ``.cache`` with its hash checked.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from mailguard.inquiry import Answer, Mx, Question, Rdata, RRType, Status, Txt
from mailguard.names import ROOT, DomainName
from mailguard.spf.macro import target_name

REQUIREMENTS = Path(__file__).with_name("suite-requirements.txt")
CACHE = Path(__file__).parents[2] / ".cache" / "rfc7208-tests.yml"
SHA256 = "901f561a6e2b1c1590a40a61b1ac7601226fd7045a7aae591a4d25421358d6f9"


def load_suite() -> list[dict[str, Any]]:
    """The scenarios; skips the test when they cannot be fetched, but fails it where CI is set."""
    if not CACHE.exists():
        try:
            _fetch()
        except (OSError, subprocess.SubprocessError) as reason:
            if os.environ.get("CI"):
                raise
            pytest.skip(f"the public SPF suite could not be fetched with pip: {reason}")
    octets = CACHE.read_bytes()
    assert hashlib.sha256(octets).hexdigest() == SHA256, f"{CACHE} is not the suite; remove it"
    return [scenario for scenario in yaml.safe_load_all(octets) if scenario]


def _fetch() -> None:
    with tempfile.TemporaryDirectory() as folder:
        # --no-binary names the one package: its build tools may come as wheels.
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--no-binary", "pyspf", "--dest", folder, "--require-hashes", "--requirement", str(REQUIREMENTS)]
        subprocess.run(command, check=True, capture_output=True, timeout=180)
        (archive,) = Path(folder).glob("pyspf-*.tar.gz")
        with tarfile.open(archive) as tar:
            member = tar.extractfile("pyspf-2.0.14/test/rfc7208-tests.yml")
            assert member is not None
            octets = member.read()
    CACHE.parent.mkdir(exist_ok=True)
    fresh = CACHE.with_suffix(f".{os.getpid()}")
    fresh.write_bytes(octets)
    fresh.replace(CACHE)  # several test processes may come here at once


@dataclass
class SuiteZone:
    """The zone data of one scenario as a source of answers."""

    data: dict[DomainName, list[Any]]

    @classmethod
    def load(cls, zonedata: dict[str, list[Any]]) -> SuiteZone:
        return cls({target_name(owner): entries for owner, entries in zonedata.items()})

    def __call__(self, question: Question) -> Answer:
        return self._answer(question, question.name, 0)

    def _answer(self, question: Question, at: DomainName, hops: int) -> Answer:
        if at not in self.data:
            return Answer(question, Status.TIMEOUT if at.startswith("error.") else Status.NXDOMAIN)
        records = self._records(at, question.rrtype)
        if records is None:
            return Answer(question, Status.TIMEOUT)
        if not records and (aliases := self._records(at, RRType.CNAME)):
            if hops > 4:
                return Answer(question, Status.SERVFAIL)
            alias = aliases[0]
            assert isinstance(alias, DomainName)
            return self._answer(question, alias, hops + 1)
        return Answer(question, Status.DATA if records else Status.NO_DATA, tuple(records))

    def _records(self, at: DomainName, rrtype: RRType) -> list[Rdata] | None:
        """The records of a type; ``None`` for a timeout."""
        wanted = str(rrtype)
        mappings = [entry for entry in self.data[at] if isinstance(entry, dict)]
        # SPF entries stand for TXT unless the name has TXT entries of its own.
        if rrtype is RRType.TXT and not any("TXT" in entry for entry in mappings):
            wanted = "SPF"
        values = [entry[wanted] for entry in mappings if wanted in entry]
        if "TIMEOUT" in values or ("TIMEOUT" in self.data[at] and not [value for value in values if value != "NONE"]):
            return None
        return [_rdata(rrtype, value) for value in values if value != "NONE"]


def _rdata(rrtype: RRType, value: Any) -> Rdata:
    if rrtype in (RRType.TXT, RRType.SPF):
        strings = [value] if isinstance(value, str) else value
        return Txt(tuple(string.encode() for string in strings))
    if rrtype is RRType.MX:
        return Mx(value[0], target_name(value[1]) if value[1] else ROOT)
    return target_name(value) if rrtype in (RRType.CNAME, RRType.PTR) else str(value)
