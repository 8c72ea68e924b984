"""How a consultant's guides look and who they come from: a folder of theirs, without a change to ours.

::

    brand/
      brand.toml        name, imprint and closing words in both languages, colour, logo
      logo.svg          or .png, .jpg
      templates/        single blocks or single partials, in place of ours (docs/guide-brand.md)

All of it is read and checked before the first guide is made, so that a slip is told at once and not after a thousand.
"""

from __future__ import annotations

import re
import tomllib
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from mailguard.errors import UsageError, system_reason, toml_reason
from mailguard.guidebook.blocks import Imprint
from mailguard.settings.table import Section
from mailguard.words import LANGUAGES

FILE: Final = "brand.toml"
MAX_LOGO_BYTES: Final = 512 * 1024
"""A logo stands in every guide, so a large one makes every mail large."""
LEAST_CONTRAST: Final = 4.5
"""Between a colour of text and white, after WCAG 2.2, 1.4.3 (AA)."""

_MAX_BYTES: Final = 64 * 1024
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_PICTURES: Final = {
    ".png": ("image/png", b"\x89PNG\r\n\x1a\n"),
    ".jpg": ("image/jpeg", b"\xff\xd8\xff"),
    ".jpeg": ("image/jpeg", b"\xff\xd8\xff"),
    ".svg": ("image/svg+xml", b""),
}
_WHITE: Final = "#ffffff"


@dataclass(frozen=True, slots=True)
class Brand:
    """A brand as it was read. The default one is plain, and nobody's.

    ``logo`` is a ``data:`` URL. ``templates`` is the folder whose templates come before ours, None for none.
    """

    name: str = ""
    imprints: tuple[tuple[str, Imprint], ...] = ()  # by language
    accent: str = "#1f4e79"
    logo: str = ""
    templates: Path | None = None

    def imprint(self, language: str) -> Imprint:
        """Who sends a guide in a language; empty where the folder does not say."""
        return dict(self.imprints).get(language, Imprint())


PLAIN: Final = Brand()


def load_brand(path: Path) -> Brand:
    """Read a brand folder, with all of its templates. Raises UsageError at the first problem: file, place, remedy."""
    table = _table(path / FILE)
    name = table.text("name", "")
    imprints = tuple((language, _imprint(table.section(language), name)) for language in LANGUAGES)
    colours = table.section("colours")
    accent = _colour(colours, "accent", PLAIN.accent)
    colours.nothing_else()
    logo = table.text("logo", "")
    table.nothing_else()
    folder = (path / "templates").resolve()
    if folder.is_dir():
        from mailguard.render.book.templates import check_templates  # loads Jinja, which most commands do without

        check_templates(folder)
    return Brand(
        name=name,
        imprints=imprints,
        accent=accent,
        logo=_picture(path / logo) if logo else "",
        templates=folder if folder.is_dir() else None,
    )


def contrast(colour: str, other: str = _WHITE) -> float:
    """Contrast of two colours ``#rrggbb``, from 1 to 21 (WCAG 2.2, "contrast ratio")."""
    darker, lighter = sorted((_luminance(colour), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _table(file: Path) -> Section:
    try:
        data = tomllib.loads(_bytes(file, _MAX_BYTES).decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UsageError("{file} is not UTF-8 text.", file=str(file)) from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError("{file} is no TOML file: {reason}.", file=str(file), reason=toml_reason(error)) from error
    return Section(data, str(file))


def _imprint(table: Section, name: str) -> Imprint:
    found = Imprint(table.text("name", name), table.texts("lines"), table.texts("closing"))
    table.nothing_else()
    return found


def _colour(table: Section, key: str, default: str) -> str:
    colour = table.text(key, default).lower()
    if not _COLOUR.fullmatch(colour):
        raise UsageError('{where}: {key} is wanted as "#rrggbb".', where=table.where, key=key)
    if (found := contrast(colour)) < LEAST_CONTRAST:
        told = "{where}: {key} {colour} is hard to read on white (contrast {found}, wanted {least}); take a darker one."
        raise UsageError(
            told, where=table.where, key=key, colour=colour, found=f"{found:.1f}", least=str(LEAST_CONTRAST)
        )
    return colour


def _picture(file: Path) -> str:
    """The logo as a ``data:`` URL. Shown as a picture, an SVG can neither run scripts nor fetch anything."""
    media_type, magic = _PICTURES.get(file.suffix.lower(), ("", b""))
    content = _bytes(file, MAX_LOGO_BYTES)
    drawn = _is_drawing(content) if file.suffix.lower() == ".svg" else content.startswith(magic)
    if not media_type or not drawn:
        told = "{file} is no picture that can be used as a logo; take an SVG, PNG or JPEG file."
        raise UsageError(told, file=str(file))
    return f"data:{media_type};base64,{b64encode(content).decode('ascii')}"


def _is_drawing(content: bytes) -> bool:
    """Whether it is SVG, without entities of its own: those could make it grow without bounds."""
    try:
        root = ElementTree.fromstring(content) if b"<!ENTITY" not in content else None  # noqa: S314
    except ElementTree.ParseError:
        return False
    return root is not None and root.tag == "{http://www.w3.org/2000/svg}svg"


def _bytes(file: Path, limit: int) -> bytes:
    try:
        with file.open("rb") as opened:
            content = opened.read(limit + 1)
    except (OSError, ValueError) as error:
        told = "{file} cannot be read ({reason}); check the path."
        raise UsageError(told, file=str(file), reason=system_reason(error)) from error
    if len(content) > limit:
        raise UsageError("{file} is larger than {limit} bytes.", file=str(file), limit=limit)
    return content
