"""Where ``policies/`` and ``reports/templates/`` are.

They lie beside the package in a checkout, so that people find and edit them; a wheel carries copies inside the package
(``pyproject.toml``, ``force-include``), and an editable install does not see those. So: the package first, then the
folder it lies in.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from mailguard.errors import OperationError

_IN_CHECKOUT: Final = {"policies": Path("policies"), "templates": Path("reports") / "templates"}


@cache
def policies() -> Traversable:
    """The folder of policy files. Raises OperationError when the installation lacks it."""
    return find("policies", files("mailguard"))


@cache
def templates() -> Traversable:
    """The folder of layout templates. Raises OperationError when the installation lacks it."""
    return find("templates", files("mailguard"))


def find(kind: str, package: Traversable) -> Traversable:
    """The folder ``kind`` (``policies`` or ``templates``) that belongs to ``package``, the folder of the code."""
    inside = package / "_data" / kind
    if inside.is_dir():
        return inside
    if isinstance(package, Path):
        beside = package.parent / _IN_CHECKOUT[kind]
        if beside.is_dir():
            return beside
    told = "The folder {folder!r} is missing from this installation of mailguard; install it again."
    raise OperationError(told, folder=kind)
