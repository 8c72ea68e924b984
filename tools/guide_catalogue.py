"""Compile the catalogues of the guide's parts: ``python -m tools.guide_catalogue [--check]``.

Every ``mailguard/locale/<language>/LC_MESSAGES/guide_<part>.po`` becomes a ``.mo`` beside it. The messages' ids are
ids, ``<part>.<words>``. With ``--check`` nothing is written, and it fails where an id stands in one language only, its
placeholders differ in name or type, a type is not known, an id is used in the code and stands nowhere or stands there
and is not used, or a ``.mo`` is out of date.
"""

from __future__ import annotations

import ast
import io
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from mailguard.guidebook.texts import TYPES, placeholders
from mailguard.words import LANGUAGES

ROOT = Path(__file__).resolve().parents[1]
LOCALE = ROOT / "mailguard" / "locale"
_NO_DAY = datetime(1970, 1, 1, tzinfo=UTC)
_ID = re.compile(r"[a-z_]+(?:\.[a-z0-9_-]+)+")


def catalogues(language: str) -> dict[str, Path]:
    """The guide's catalogues of a language by part."""
    folder = LOCALE / language / "LC_MESSAGES"
    return {path.stem.removeprefix("guide_"): path for path in sorted(folder.glob("guide_*.po"))}


def messages(path: Path) -> dict[str, str]:
    """Ids and texts of one catalogue."""
    return {str(message.id): str(message.string) for message in _read(path) if message.id}


def _read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file)


def compiled(path: Path) -> bytes:
    """The ``.mo`` of a ``.po``."""
    catalog = _read(path)
    catalog.creation_date = catalog.revision_date = _NO_DAY  # else the day of compiling, and never twice the same file
    buffer = io.BytesIO()
    write_mo(buffer, catalog)
    return buffer.getvalue()


def used() -> tuple[set[str], set[str]]:
    """Texts in the code that could be ids, and beginnings of ids that the code completes (``f"director.{...}"``)."""
    whole, begun = set(), set()
    for source in sorted((ROOT / "mailguard").rglob("*.py")):
        for node in ast.walk(ast.parse(source.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and _ID.fullmatch(node.value):
                whole.add(node.value)
            elif isinstance(node, ast.JoinedStr) and node.values and isinstance(node.values[0], ast.Constant):
                start = str(node.values[0].value)
                if re.fullmatch(r"[a-z_]+\.[a-z0-9_.-]*", start):
                    begun.add(start)
    for template in sorted((ROOT / "reports" / "templates").rglob("*.j2")):
        whole.update(re.findall(r"""texts(?:\.plain)?\(["']([a-z_.0-9-]+)["']""", template.read_text("utf-8")))
    return whole, begun


def faults() -> Iterator[str]:
    """What does not agree."""
    whole, begun = used()
    parts = {language: catalogues(language) for language in LANGUAGES}
    for part in sorted(set().union(*parts.values())):
        missing = [language for language in LANGUAGES if part not in parts[language]]
        if missing:
            yield f"guide_{part}.po is missing in {', '.join(missing)}"
            continue
        ja, en = (messages(parts[language][part]) for language in ("ja", "en"))
        for message in sorted(ja.keys() | en.keys()):
            yield from _faults_of(part, message, ja.get(message, ""), en.get(message, ""))
            if message not in whole and not any(message.startswith(start) for start in begun):
                yield f"not used: {message}"
    for language, paths in parts.items():
        for path in paths.values():
            mo = path.with_suffix(".mo")
            if not mo.exists() or mo.read_bytes() != compiled(path):
                yield f"{language}/{mo.name} is out of date: run python -m tools.guide_catalogue"


def _faults_of(part: str, message: str, ja: str, en: str) -> Iterator[str]:
    if not message.startswith(f"{part}."):
        yield f"guide_{part}.po: {message} does not begin with {part}."
    if not (ja and en):
        yield f"{message} lacks its {'Japanese' if en else 'English'} text"
    elif placeholders(ja) != placeholders(en):
        yield f"placeholders differ: {message}"
    for name, kind in placeholders(ja) | placeholders(en):
        if kind and kind not in TYPES:
            yield f"{message}: {{{name}:{kind}}} has no known type"


def main() -> int:
    """Compile or check."""
    if "--check" not in sys.argv[1:]:
        for language in LANGUAGES:
            for path in catalogues(language).values():
                path.with_suffix(".mo").write_bytes(compiled(path))
    wrong = list(faults())
    print("\n".join([*wrong, f"{len(wrong)} faults in the guide's catalogues"]))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
