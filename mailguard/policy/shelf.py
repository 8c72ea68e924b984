"""The files under ``policies/`` and policy files that users name, read from disk."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final, NamedTuple

from mailguard.errors import PolicyError, Sentence, system_reason
from mailguard.policy.files import Loader, Policy, find_problems, parse_policy
from mailguard.providers import Providers, parse_providers
from mailguard.resources import policies

DEFAULT: Final = "hospital"
"""The policy that is used when nobody names one."""

MAX_BYTES: Final = 1_000_000
"""Largest policy file that is read; one is a few kilobytes."""

_MAX_DEPTH: Final = 5
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")


class _File(NamedTuple):
    """A policy file: where it is, what messages call it, the policy's id, and from where its paths are seen."""

    place: Traversable
    shown: str
    id: str
    folder: Path


@cache
def policy_names() -> tuple[str, ...]:
    """Names of the policies that come with mailguard, the default first."""
    files = (file.name.partition(".") for file in policies().iterdir())
    names = sorted(stem for stem, _, ending in files if stem and ending == "toml")
    return tuple(sorted(names, key=lambda name: name != DEFAULT))


def load_policy(name_or_path: str, depth: int = 0) -> Policy:
    """A policy by the name of one that comes with mailguard, or by the path of a file.

    Raises PolicyError: one sentence with file and key. A policy may extend others ``_MAX_DEPTH`` deep.
    """
    file = _file_of(name_or_path)
    if depth > _MAX_DEPTH:
        told = "{file}: policies extend each other in a circle, or too deeply; take one out."
        raise PolicyError(told, file=file.shown)
    return parse_policy(_read(file), file.shown, file.id, _loader(file, depth + 1))


def list_policies() -> tuple[Policy, ...]:
    """The policies that come with mailguard, the default first."""
    return tuple(load_policy(name) for name in policy_names())


def check_policy(name_or_path: str, known_rules: Iterable[str]) -> tuple[Sentence, ...]:
    """Everything wrong with a policy file, one sentence each; empty when it can be used."""
    try:
        file = _file_of(name_or_path)
        text = _read(file)
    except PolicyError as error:
        return (error.sentence,)
    return find_problems(text, file.shown, file.id, _loader(file, 1), known_rules)


@cache
def load_providers() -> Providers:
    """What is known about providers, read once."""
    texts = (_read(_ours(name)) for name in ("providers.json", "shared-mail-domains.json"))
    return parse_providers(*texts)


def _file_of(name_or_path: str) -> _File:
    """A plain name is one of ours; whatever has a dot or a slash in it is a path."""
    if not _NAME.fullmatch(name_or_path):
        path = Path(name_or_path)
        return _File(path, str(path), path.stem, path.parent)
    if name_or_path not in policy_names():
        known = ", ".join(policy_names())
        told = "There is no policy {name!r}; known are {known}, or give the path of a .toml file."
        raise PolicyError(told, name=name_or_path, known=known)
    return _ours(f"{name_or_path}.toml")


def _ours(name: str) -> _File:
    return _File(policies() / name, name, name.partition(".")[0], Path())


def _loader(file: _File, depth: int) -> Loader:
    """What ``extends`` in a file means: one of our names, or a path seen from that file."""

    def load(name: str) -> Policy:
        return load_policy(name if _NAME.fullmatch(name) else str(file.folder / name), depth)

    return load


def _read(file: _File) -> str:
    try:
        with file.place.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            told = "{file}: is larger than {limit} bytes; a policy file is a few kilobytes."
            raise PolicyError(told, file=file.shown, limit=MAX_BYTES)
        return data.decode("utf-8-sig")
    except OSError as error:
        told = "{file} cannot be read ({reason}); check the path."
        raise PolicyError(told, file=file.shown, reason=system_reason(error)) from None
    except UnicodeDecodeError:
        raise PolicyError("{file}: is not UTF-8 text; save it again as UTF-8.", file=file.shown) from None
