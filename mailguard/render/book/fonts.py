"""Fonts on this machine that can show Japanese. None comes with mailguard.

Without one, a PDF or a picture would show empty boxes and nobody would be told; so a font is looked for before
anything is drawn, and where there is none, that is said in one sentence. Browsers find their own.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from mailguard.errors import OperationError, UsageError

PREFERRED: Final[tuple[str, ...]] = (
    "BIZ UDPGothic",
    "IPAexGothic",
    "Noto Sans CJK JP",
    "Noto Sans JP",
    "VL PGothic",
    "VL Gothic",
    "Hiragino Sans",
    "Yu Gothic",
    "Meiryo",
)
"""Families in the order in which they are taken; the first is made for readers whose sight is weak."""

_PROOF: Final = "病"
_SUFFIXES: Final = frozenset({".ttf", ".otf", ".ttc", ".otc"})
_LIST_TIMEOUT_S: Final = 60.0  # fontconfig may have to read every font once


@dataclass(frozen=True, slots=True)
class Font:
    """A family, and its file where one was named."""

    family: str
    file: Path | None = None


def find_font(wanted: str | None = None) -> Font:
    """The font to draw with: the one that was wanted (a family, or a font file), or the first of ours that is here.

    Raises UsageError when the wanted one is not here or has no 病, OperationError when no font has.
    """
    if wanted is not None:
        return _of_file(Path(wanted)) if Path(wanted).suffix.lower() in _SUFFIXES else _of_family(wanted)
    here = families()
    known = [family for family in PREFERRED if family in here] or sorted(here)
    if not known:
        told = (
            "No font on this machine can show Japanese; install one, such as fonts-morisawa-bizud-gothic, "
            "or name a font file with --font."
        )
        raise OperationError(told)
    return Font(known[0])


@cache
def families() -> frozenset[str]:
    """Families that fontconfig knows to have 病. Raises OperationError when it cannot be asked."""
    command = ["fc-list", f":charset={ord(_PROOF):x}", "--format", "%{family}\n"]
    try:
        listed = subprocess.run(command, check=True, capture_output=True, timeout=_LIST_TIMEOUT_S)  # noqa: S603
    except (OSError, subprocess.SubprocessError) as error:
        told = "Fonts cannot be looked for, because the program fc-list of fontconfig does not run; install fontconfig."
        raise OperationError(told) from error
    names = listed.stdout.decode("utf-8", "replace").replace(",", "\n").splitlines()
    return frozenset(name.strip() for name in names if name.strip() and not name.startswith("."))


def _of_family(family: str) -> Font:
    if family not in families():
        told = "No font {font!r} that can show Japanese is on this machine; `fc-list :lang=ja family` lists others."
        raise UsageError(told, font=family)
    return Font(family)


@lru_cache(maxsize=4)
def _of_file(file: Path) -> Font:
    from fontTools.ttLib import TTFont, TTLibError  # type: ignore[import-untyped]

    try:
        with file.open("rb") as opened, TTFont(opened, fontNumber=0, lazy=True) as font:
            shows = ord(_PROOF) in (font.getBestCmap() or {})
            family = str(font["name"].getBestFamilyName() or file.stem)
    except (OSError, TTLibError, KeyError) as error:
        raise UsageError("The font file {file!r} cannot be read.", file=str(file)) from error
    if not shows:
        raise UsageError("The font file {file!r} cannot show Japanese.", file=str(file))
    return Font(family, file)
