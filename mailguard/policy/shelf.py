"""The files under ``policies/``, found in a checkout and in an installed wheel, and policy files that users name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final

from mailguard.errors import OperationError, PolicyError
from mailguard.policy.files import Loader, Policy, find_problems, parse_policy
from mailguard.providers import Providers, parse_providers

_PACKAGE: Final = Path(__file__).resolve().parents[1]
DEFAULT: Final = "hospital"
"""The policy that is used when nobody names one."""

_MAX_DEPTH: Final = 5
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
_PLACES: Final = (_PACKAGE / "_data" / "policies", _PACKAGE.parent / "policies")


def policies_folder() -> Path:
    """Where the policy files are. Raises OperationError when the installation lacks them."""
    for place in _PLACES:
        if place.is_dir():
            return place
    raise OperationError("The folder 'policies' is missing from this installation of mailguard; install it again.")


def read_policy_file(path: Path, max_bytes: int = 1_000_000) -> str:
    """Text of a policy file of at most ``max_bytes``. Raises PolicyError where it cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
        if len(data) > max_bytes:
            raise PolicyError(f"{path}: is larger than {max_bytes} bytes; a policy file is a few kilobytes.")
        return data.decode("utf-8-sig")
    except OSError as error:
        raise PolicyError(f"{path}: cannot be read ({error.strerror}); check the path.") from None
    except UnicodeDecodeError:
        raise PolicyError(f"{path}: is not UTF-8 text; save it again as UTF-8.") from None


@cache
def policy_names() -> tuple[str, ...]:
    """Names of the policies that come with mailguard, the default first."""
    names = sorted(path.stem for path in policies_folder().glob("*.toml"))
    return tuple(sorted(names, key=lambda name: name != DEFAULT))


def load_policy(name_or_path: str, depth: int = 0) -> Policy:
    """A policy by the name of one that comes with mailguard, or by the path of a file.

    Raises PolicyError: one sentence with file and key. A policy may extend others ``_MAX_DEPTH`` deep.
    """
    path = _path_of(name_or_path)
    if depth > _MAX_DEPTH:
        raise PolicyError(f"{path}: policies extend each other in a circle, or too deeply; take one 'extends' out.")
    return parse_policy(read_policy_file(path), _shown(path), path.stem, _loader(path, depth + 1))


def list_policies() -> tuple[Policy, ...]:
    """The policies that come with mailguard, the default first."""
    return tuple(load_policy(name) for name in policy_names())


def check_policy(name_or_path: str, known_rules: Iterable[str]) -> tuple[str, ...]:
    """Everything wrong with a policy file, one sentence each; empty when it can be used."""
    try:
        path = _path_of(name_or_path)
        text = read_policy_file(path)
    except PolicyError as error:
        return (str(error),)
    return find_problems(text, _shown(path), path.stem, _loader(path, 1), known_rules)


def _loader(path: Path, depth: int) -> Loader:
    """What ``extends`` in the file at ``path`` means: one of our names, or a path seen from that file."""

    def load(name: str) -> Policy:
        return load_policy(name if _NAME.fullmatch(name) else str(path.parent / name), depth)

    return load


def _path_of(name_or_path: str) -> Path:
    """A plain name is one of ours; whatever has a dot or a slash in it is a path."""
    if not _NAME.fullmatch(name_or_path):
        return Path(name_or_path)
    if name_or_path not in policy_names():
        known = ", ".join(policy_names())
        raise PolicyError(f"There is no policy {name_or_path!r}; known are {known}, or give the path of a .toml file.")
    return policies_folder() / f"{name_or_path}.toml"


def _shown(path: Path) -> str:
    return path.name if path.parent == policies_folder() else str(path)


@cache
def load_providers() -> Providers:
    """What is known about providers, read once."""
    folder = policies_folder()
    providers = read_policy_file(folder / "providers.json")
    return parse_providers(providers, read_policy_file(folder / "shared-mail-domains.json"))
