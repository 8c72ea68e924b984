"""The inside of the house does no I/O, knows no clock and no chance, and looks in one direction only.

Three proofs: what the source imports (an allow-list, so that a new library is a decision), what it calls, and that
the pure modules can be imported where sockets, event loops and the command line do not exist.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

PURE = (
    *("names", "inquiry", "errors", "targets", "providers", "requirement"),
    *("spf", "dkim", "dmarc", "zone", "feedback", "trust"),
    *("survey", "dossier", "rules", "remedy", "policy", "verdict"),
)

# The rim inside a pure package: one module each that fetches what the others only interpret.
RIM = {
    "mailguard.policy.shelf": "reads the files under policies/",
}

_LIBRARIES = """
    __future__ abc base64 binascii bisect bz2 codecs collections contextlib copy csv dataclasses datetime decimal
    difflib email enum errno fractions functools hashlib heapq hmac html io ipaddress itertools json lzma math
    operator re string struct textwrap tomllib types typing unicodedata urllib.parse xml.etree.ElementTree
    xml.parsers.expat zipfile zlib
"""
LIBRARIES = frozenset(_LIBRARIES.split())

THIRD_PARTY = {
    "idna": "tables and code, no state",
    "dkim": "verifies signatures with keys from our answers; its clock and its DNS are not called",
    "cryptography": "reads public keys from bytes",
    "publicsuffixlist": "carries its list as package data, read once",
}

FORBIDDEN_CALLS = frozenset({"open", "input", "print", "exec", "eval", "__import__", "breakpoint"})
FORBIDDEN_METHODS = frozenset({"now", "utcnow", "today", "read_text", "read_bytes", "write_text", "write_bytes"})

# From the ground up. A part may import those on lower floors, and itself. A module that stands on another floor than
# its package is named by itself.
FLOORS = (
    {"errors", "names"},
    {"inquiry"},
    {"targets", "providers", "feedback"},
    {"requirement"},
    {"spf", "dkim", "dmarc", "zone"},
    {"trust"},
    {"survey"},
    {"dossier"},
    {"verdict", "zone.parked"},
    {"zone.edit"},
    {"rules"},
    {"remedy"},
    {"policy"},
)

_AUDITS = {"rules", "remedy", "policy", "verdict", "dossier", "guides", "cli", "audit"}

# I/O that decides nothing must not know what is judged, or how it is said. None of the ways in knows the worker: they
# meet at the spool. And nobody below the settings file reads it.
RIM_MUST_NOT_KNOW = {
    "resolver": {*_AUDITS, "render"},
    "ingest": {*_AUDITS, "render", "worker", "sources", "settings"},
    "sources": {*_AUDITS, "render", "worker", "ingest", "spool", "store", "trust", "resolver", "settings"},
    "spool": {*_AUDITS, "render", "worker", "ingest", "sources", "store", "trust", "resolver", "settings"},
    "store": {*_AUDITS, "render", "worker", "ingest", "sources", "spool", "resolver", "settings"},
    "settings": {*_AUDITS, "render", "worker", "store", "spool", "trust", "resolver"},
    "worker": _AUDITS,
    "guides": {"rules", "remedy", "policy", "render", "cli", "audit", "resolver"},
    "render": {"cli", "resolver", "store", "ingest"},
    "audit": {"render", "cli"},
}


def modules_of(package: str) -> list[str]:
    """Dotted names of a module, or of a package and all below it."""
    folder = ROOT / "mailguard" / package
    paths = sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]
    names = (path.relative_to(ROOT).with_suffix("") for path in paths)
    return [".".join(name.parts).removesuffix(".__init__") for name in names]


def path_of(module: str) -> Path:
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def tree_of(module: str) -> ast.Module:
    return ast.parse(path_of(module).read_text("utf-8"))


def imports(tree: ast.Module) -> Iterator[str]:
    """Every import, wherever it stands; ``from a import b`` is given as ``a.b``, which may be a module or not."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute, so that this test can read them"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_allowed(imported: str) -> bool:
    parts = imported.split(".")
    prefixes = {".".join(parts[:count]) for count in range(1, len(parts) + 1)}
    return parts[0] == "mailguard" or bool(prefixes & (LIBRARIES | THIRD_PARTY.keys()))


def impurities(tree: ast.Module) -> list[str]:
    """What a module imports or calls that a pure one must not."""
    found = [f"imports {imported}" for imported in imports(tree) if not is_allowed(imported)]
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        match node.func:
            case ast.Name(id=called) if called in FORBIDDEN_CALLS:
                found.append(f"line {node.lineno} calls {called}()")
            case ast.Attribute(attr=called) if called in FORBIDDEN_METHODS:
                found.append(f"line {node.lineno} calls .{called}()")
            case ast.Attribute(attr="astimezone") if not node.args:
                found.append(f"line {node.lineno} depends on the machine's time zone")
            case _:
                pass
    return found


PURE_MODULES = [module for package in PURE for module in modules_of(package) if module not in RIM]


@pytest.mark.parametrize("module", PURE_MODULES)
def test_module_is_pure(module: str) -> None:
    assert impurities(tree_of(module)) == []


@pytest.mark.parametrize(
    "source",
    [
        "import asyncio",
        "import os",
        "import time",
        "from random import choice",
        "from pathlib import Path",
        "import dns.resolver",
        "import urllib.request",
        "import xml.etree",
        "def f():\n    import socket",
        "open('x')",
        "datetime.now(UTC)",
        "date.today()",
        "path.read_text()",
        "when.astimezone()",
    ],
)
def test_what_is_not_pure_is_noticed(source: str) -> None:
    assert impurities(ast.parse(source)) != []


@pytest.mark.parametrize("module", PURE_MODULES)
def test_pure_modules_do_not_import_the_rim(module: str) -> None:
    assert not {imported for imported in imports(tree_of(module)) for rim in RIM if imported.startswith(rim)}


FLOOR_OF = {part: number for number, floor in enumerate(FLOORS) for part in floor}


def part_of(dotted: str) -> str:
    """The part of the house that a name belongs to: the longest that FLOORS knows, else the top-level package."""
    parts = dotted.split(".")[1:]
    known = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next((name for name in known if name in FLOOR_OF), parts[0])


@pytest.mark.parametrize("module", PURE_MODULES)
def test_imports_lead_downwards(module: str) -> None:
    own = part_of(module)
    too_high = {name for name in neighbours(module) if name != own and FLOOR_OF.get(name, len(FLOORS)) >= FLOOR_OF[own]}
    may_know = {"resources"} if module in RIM else set()  # where files lie, which stands on no floor
    assert too_high <= may_know


def neighbours(module: str) -> set[str]:
    """The parts of mailguard that a module imports from."""
    return {part_of(name) for name in imports(tree_of(module)) if name.startswith("mailguard.")} - {"__version__"}


@pytest.mark.parametrize("package", RIM_MUST_NOT_KNOW)
def test_the_rim_decides_nothing(package: str) -> None:
    known = {name for module in modules_of(package) if path_of(module).exists() for name in neighbours(module)}
    assert not known & RIM_MUST_NOT_KNOW[package]


# The demonstration sends mail, to itself on loopback. A consultant sends guides, by commands of their own.
SENDERS = ("mailguard.demo", "mailguard.sending.smtp")
_WAYS_OUT = ("smtplib", "aiosmtplib")
_MAY_SEND = ("mailguard.sending", "mailguard.cli")


def every_module() -> list[str]:
    paths = sorted((ROOT / "mailguard").rglob("*.py"))
    return [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in paths]


def modules_that_import(ways: tuple[str, ...]) -> set[str]:
    return {module for module in every_module() if any(leads_to(name, ways) for name in imports(tree_of(module)))}


def leads_to(imported: str, ways: tuple[str, ...]) -> bool:
    return any(imported == way or imported.startswith(f"{way}.") for way in ways)


def test_nothing_but_the_demonstration_and_the_sending_of_guides_can_send_mail() -> None:
    can_send = modules_that_import(_WAYS_OUT)
    assert {module for module in can_send if not module.startswith(SENDERS)} == set()
    assert can_send, "the demonstration does, so this test can see it"


def test_what_receives_does_not_know_how_to_send() -> None:
    """What a stranger mails to us is never relayed, bounced or answered: there is no code that could."""
    assert {one for one in modules_that_import(("mailguard.sending",)) if not one.startswith(_MAY_SEND)} == set()


def test_every_pure_package_has_a_floor() -> None:
    assert set(PURE) == {part.partition(".")[0] for part in FLOOR_OF}


# The email package of the standard library imports socket for one function that nobody here calls.
IMPORTABLE_ANYWHERE = [module for module in PURE_MODULES if not module.startswith("mailguard.feedback")]


def test_pure_modules_import_without_sockets_or_event_loops() -> None:
    """A module that is None in ``sys.modules`` cannot be imported, however indirectly."""
    missing = (
        "asyncio",
        "socket",
        "ssl",
        "sqlite3",
        "subprocess",
        "random",
        "secrets",
        "dns",
        "click",
        "jinja2",
        "rich",
    )
    script = f"""
import importlib, sys
sys.modules.update(dict.fromkeys({missing!r}))
for module in {IMPORTABLE_ANYWHERE!r}:
    importlib.import_module(module)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
