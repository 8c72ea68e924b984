"""Policies and templates are found in a wheel's layout and in a checkout's."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailguard.errors import OperationError
from mailguard.resources import find, policies, templates


def make(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True)
    (folder / name).write_text("x")
    return folder


def test_this_installation_has_both() -> None:
    assert "hospital.toml" in {file.name for file in policies().iterdir()}
    assert "guide" in {folder.name for folder in templates().iterdir()}


def test_in_a_wheel_they_lie_inside_the_package(tmp_path: Path) -> None:
    package = tmp_path / "site-packages" / "mailguard"
    inside = make(package / "_data" / "templates", "guide.html.j2")
    make(tmp_path / "site-packages" / "reports" / "templates", "of somebody else")
    assert find("templates", package) == inside


@pytest.mark.parametrize(("kind", "place"), [("policies", "policies"), ("templates", "reports/templates")])
def test_in_a_checkout_they_lie_beside_the_package(tmp_path: Path, kind: str, place: str) -> None:
    beside = make(tmp_path / place, "file")
    (tmp_path / "mailguard").mkdir()
    assert find(kind, tmp_path / "mailguard") == beside


def test_a_broken_installation_says_so(tmp_path: Path) -> None:
    with pytest.raises(OperationError, match="install it again"):
        find("policies", tmp_path / "mailguard")
