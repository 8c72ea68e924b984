"""The units for systemd: in order, tight, and in step with the program and its documents."""

from __future__ import annotations

import re
import shutil
import subprocess
import textwrap
from configparser import RawConfigParser
from pathlib import Path

import pytest
from click.testing import CliRunner

from mailguard.cli import main

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "container" / "systemd"
PROGRAM = "/opt/mailguard/bin/mailguard"

with_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")


def values(unit: str, section: str, key: str) -> list[str]:
    """What a unit says about something, in order; a key may stand there more than once."""
    inside, found = "", []
    for line in (UNITS / unit).read_text("utf-8").splitlines():
        if line.startswith("["):
            inside = line.strip("[]")
        elif inside == section and line.startswith(f"{key}="):
            found.append(line.partition("=")[2])
    return found


@pytest.fixture
def units(tmp_path: Path) -> list[Path]:
    """Copies whose program is there on every machine."""
    made = []
    for unit in sorted(UNITS.iterdir()):
        made.append(tmp_path / unit.name)
        made[-1].write_text(unit.read_text("utf-8").replace(PROGRAM, "/bin/true"), "utf-8")
    return made


def analyze(*words: object) -> str:
    done = subprocess.run(
        ["systemd-analyze", *map(str, words)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@with_systemd
def test_systemd_finds_nothing_wrong(units: list[Path]) -> None:
    told = analyze("verify", "--man=no", *units)
    # Others' units that are installed here may have faults of their own.
    assert [line for line in told.splitlines() if "mailguard" in line] == []


@with_systemd
def test_systemd_calls_the_service_tight(units: list[Path]) -> None:
    (service,) = (unit for unit in units if unit.suffix == ".service")
    told = analyze("security", "--offline=true", "--no-pager", service)
    exposure = re.search(r"Overall exposure level for \S+: ([0-9.]+)", told)
    assert exposure is not None
    assert float(exposure[1]) <= 2.0, told


def test_the_service_starts_a_command_that_there_is() -> None:
    (command,) = values("mailguard.service", "Service", "ExecStart")
    program, *words = command.split()
    assert program == PROGRAM
    result = CliRunner().invoke(main, [*words, "--help"])
    assert result.exit_code == 0


def test_wrong_settings_are_not_tried_again(tmp_path: Path) -> None:
    config = tmp_path / "mailguard.toml"
    config.write_text("nonsense = 1\n")
    result = CliRunner().invoke(main, ["serve", "--config", str(config)])
    assert values("mailguard.service", "Service", "RestartPreventExitStatus") == [str(result.exit_code)]


def test_systemd_waits_longer_than_the_daemon_takes_to_stop() -> None:
    from mailguard.worker.service import STOP_S

    (seconds,) = values("mailguard.service", "Service", "TimeoutStopSec")
    assert float(seconds) > STOP_S


def test_the_service_has_no_right_at_all_and_the_socket_is_the_way_to_port_25() -> None:
    assert values("mailguard.service", "Service", "CapabilityBoundingSet") == [""]
    assert values("mailguard.service", "Service", "AmbientCapabilities") == [""]
    assert values("mailguard.socket", "Socket", "ListenStream") == ["25"]


def test_the_drop_ins_in_the_document_are_units() -> None:
    text = (ROOT / "docs" / "serve.md").read_text("utf-8")
    samples = re.findall(r"^ *```ini\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    assert samples
    for sample in samples:
        parser = RawConfigParser(strict=False)
        parser.read_string(textwrap.dedent(sample))
        assert parser.sections() == ["Service"]
