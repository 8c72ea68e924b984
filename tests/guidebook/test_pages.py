"""The guide's long pages stand in both languages, and take the same facts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mailguard.guidebook.pages import load_page

PAGES = Path(__file__).parents[2] / "mailguard" / "guides" / "pages"
NAMES = {language: sorted(path.stem for path in (PAGES / language).glob("*.md")) for language in ("ja", "en")}
_PLACEHOLDER = re.compile(r"(?<!\{)\{([a-z_]+)\}")


def test_every_page_stands_in_both_languages() -> None:
    assert NAMES["ja"] == NAMES["en"]
    assert NAMES["ja"]


@pytest.mark.parametrize("name", NAMES["ja"])
def test_both_languages_of_a_page_take_the_same_facts(name: str) -> None:
    japanese, english = (set(_PLACEHOLDER.findall(load_page(name, language))) for language in ("ja", "en"))
    assert japanese == english


@pytest.mark.parametrize("name", NAMES["ja"])
def test_both_languages_of_a_page_have_the_same_outline(name: str) -> None:
    outlines = [re.findall(r"^#+", load_page(name, language), re.MULTILINE) for language in ("ja", "en")]
    assert outlines[0] == outlines[1]
