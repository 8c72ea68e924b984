"""Exit codes: what a script may conclude without reading the output, and which of several reasons it is told."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.world import BARE, GOOD, SILENT, Dns, environment, mailguard, served

TOLD = ("--selector", "s1", "--mailing-lists", "no")


@pytest.fixture(scope="module")
def dns() -> Iterator[Dns]:
    with served(GOOD + BARE + SILENT) as server:
        yield server


def code(dns: Dns, *arguments: str) -> int:
    return mailguard("audit", *arguments, *dns.options).returncode


def test_0_when_nothing_is_as_grave_as_asked_for(dns: Dns) -> None:
    assert code(dns, "clinic.example.jp", *TOLD) == 0


def test_1_for_findings(dns: Dns) -> None:
    assert code(dns, "bare.example.jp") == 1


def test_fail_on_says_from_where_findings_count(dns: Dns) -> None:
    assert code(dns, "bare.example.jp", "--fail-on", "critical") == 1
    assert code(dns, "bare.example.jp", "--fail-on", "never") == 0
    assert code(dns, "clinic.example.jp", "--fail-on", "info", *TOLD[:2]) == 1  # asks about mailing lists


def test_3_when_a_deciding_question_has_no_answer_whatever_is_found(dns: Dns) -> None:
    assert code(dns, "silent.example.jp") == 3
    assert code(dns, "silent.example.jp", "bare.example.jp") == 3
    assert code(dns, "silent.example.jp", "--fail-on", "never") == 3


def test_2_for_wrong_use_goes_before_everything(dns: Dns) -> None:
    assert code(dns, "no-dot") == 2
    assert code(dns, "no-dot", "silent.example.jp", "bare.example.jp") == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("form", ["terminal", "json", "csv", "sarif"])
def test_4_when_we_fail_goes_before_unanswered_and_findings(dns: Dns, form: str) -> None:
    command = [sys.executable, "-m", "mailguard", "audit", "silent.example.jp", "bare.example.jp", "--format", form]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*command, *dns.options], stdout=full, stderr=subprocess.PIPE, env=environment(), timeout=60, check=False
        )
    assert done.stderr.decode() == "mailguard: The output cannot be written: the disk is full.\n"
    assert done.returncode == 4


def test_one_bad_domain_does_not_lose_the_others(dns: Dns) -> None:
    result = mailguard("audit", "no-dot", "bare.example.jp", "--format", "ndjson", *dns.options)
    assert '"domain":"bare.example.jp"' in result.stdout
    assert "'no-dot' has no dot" in result.stderr
    assert result.returncode == 2


@pytest.mark.parametrize(
    ("language", "told"),
    [("en", "Your DNS server seems not to reach the internet"), ("ja", "インターネットにつながっていないようです")],
)
def test_3_from_a_server_that_denies_everything_and_what_to_do(language: str, told: str) -> None:
    with served("") as closed:
        result = mailguard("audit", "example.jp", "--lang", language, *closed.options)
    assert result.returncode == 3
    assert told in result.stdout
    assert "--nameserver" in result.stdout
    assert "ZONE001" not in result.stdout


def test_1_for_a_domain_that_does_not_exist_below_a_top_level_domain_that_does() -> None:
    with served("net NS ns.example") as internet:
        result = mailguard("audit", "missing.example.net", *internet.options)
    assert result.returncode == 1
    assert "ZONE001" in result.stdout
