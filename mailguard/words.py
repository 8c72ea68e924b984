"""Interface strings in the reader's language.

Short strings of the interface live in gettext catalogues (``mailguard/locale``), English texts being their keys.
Sentences about findings do not: those are guide pages (``mailguard/guides``).
"""

from __future__ import annotations

import gettext
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import as_file, files
from typing import Final

LANGUAGES: Final = ("ja", "en")

Translator = Callable[[str], str]


def language_of(environ: Mapping[str, str]) -> str:
    """The language that the locale variables ask for: ``ja``, else ``en``.

    ``MAILGUARD_LANG`` comes first, then the order of POSIX: LC_ALL, LC_MESSAGES, LANG.
    """
    for variable in ("MAILGUARD_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = environ.get(variable, "")
        if value:
            return "ja" if value.lower().startswith("ja") else "en"
    return "en"


@cache
def translator(language: str) -> Translator:
    """Text in English to text in ``language``. A text without translation stays English (a test forbids that)."""
    if language == "en":
        return str
    catalogue = files("mailguard") / "locale" / language / "LC_MESSAGES" / "mailguard.mo"
    with as_file(catalogue) as path, path.open("rb") as file:
        return gettext.GNUTranslations(file).gettext
