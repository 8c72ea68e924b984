"""What a stranger relies on: the wheel is complete, versions agree, locked means locked, nothing names one machine."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import mailguard
from tools.make_docs import locked_packages

ROOT = Path(__file__).parents[1]
LOCKS = [ROOT / "requirements" / "run.txt", ROOT / "requirements" / "dev.txt"]

FIND_DATA = """
from mailguard.resources import policies, templates
print(*sorted(path.name for path in policies().iterdir()))
print(*sorted(path.name for path in templates().iterdir()))
"""


def tracked_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout: nothing is tracked")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = folder.glob("*.whl")
    return path


def data_found(path_first: Path, tmp_path: Path) -> str:
    """What ``mailguard.resources`` finds when the package is imported from ``path_first``."""
    environment = {"PYTHONPATH": str(path_first), "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", FIND_DATA], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_wheel_and_checkout_find_the_same_policies_and_templates(wheel: Path, tmp_path: Path) -> None:
    unpacked = tmp_path / "unpacked"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked)
    assert data_found(unpacked, tmp_path) == data_found(ROOT, tmp_path)
    assert "hospital.toml" in data_found(unpacked, tmp_path)


MAKE_DATABASE = "from mailguard.cli import main; main()"


def test_a_database_can_be_made_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    """The steps of the schema are files that are looked for, not modules that are imported."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "unpacked")
    environment = {"PYTHONPATH": str(tmp_path / "unpacked"), "PATH": "", "LANG": "C.UTF-8"}
    for words in (("db", "upgrade"), ("db", "check")):
        done = subprocess.run(
            [sys.executable, "-c", MAKE_DATABASE, *words], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "mailguard.db").stat().st_size > 0


def test_wheel_carries_every_file_of_the_package_and_its_licence(wheel: Path) -> None:
    carried = set(zipfile.ZipFile(wheel).namelist())
    package = {str(path.relative_to(ROOT)) for path in tracked_files() if path.is_relative_to(ROOT / "mailguard")}
    assert package - carried == set()
    for name in ("LICENSE", "NOTICE", "THIRD_PARTY_NOTICES.md"):
        assert any(path.endswith(f".dist-info/licenses/{name}") for path in carried)


def test_wheel_carries_nothing_else(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert tops == {"mailguard", f"mailguard-{mailguard.__version__}.dist-info"}


def test_versions_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    latest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert latest is not None
    assert project["version"] == mailguard.__version__ == latest[1]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_locked_package_has_hashes_and_no_address(lock: Path) -> None:
    text = lock.read_text("utf-8")
    entries = re.split(r"\n(?=\S)", text.strip())
    assert [entry for entry in entries if not re.match(r"[a-z0-9-]+(\[[a-z,]+\])?==\S+", entry)] == []
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in text


def test_development_locks_the_same_versions_as_run_time() -> None:
    run, dev = (dict(package[:2] for package in locked_packages(lock)) for lock in LOCKS)
    assert run.items() <= dev.items()


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = {re.match(r"[A-Za-z0-9-]+", line)[0].lower() for line in project["dependencies"]}
    assert wanted <= {name for name, _, _ in locked_packages()}


def test_every_locked_run_time_dependency_is_named_in_the_notices() -> None:
    notices = (ROOT / "THIRD_PARTY_NOTICES.md").read_text("utf-8")
    assert [name for name, version, _ in locked_packages() if f"| {name} | {version} |" not in notices] == []


# Written in pieces, so that this file does not find itself.
_MACHINE = re.compile(
    r"(?<![\w.])/(?:"
    + "|".join(("wor" + "k", "far" + "m", "hom" + "e/[a-z]+", "Use" + "rs/[A-Za-z]+", "roo" + "t"))
    + r")/"
    r"|pypi\." + r"org|pythonhosted\." + r"org|registry\." + r"npmjs|deb\." + r"debian\.org"
)


def test_no_tracked_file_names_one_machine_or_a_registry() -> None:
    found = []
    for path in tracked_files():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in _MACHINE.finditer(text)]
    assert found == []
