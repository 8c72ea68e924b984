"""No text of a guide blames anybody, or calls a duty what no source calls one."""

from __future__ import annotations

import re

import pytest

from tools.guide_catalogue import catalogues, messages

BLAMES = {
    "ja": r"怠|ミス(?!プ)|落ち度|手抜き|不注意|(?:間違え|誤っ)て設定|のせいで|(?:ね|なけれ)ばなりません",
    "en": r"\b(?:your|their|his|her) (?:fault|mistake|error)|\bfault in\b|\bcareless|\bneglect|\bto blame\b|\bnegligen",
}


@pytest.mark.parametrize("language", BLAMES)
def test_no_text_of_a_guide_blames(language: str) -> None:
    found = {
        message: match[0]
        for path in catalogues(language).values()
        for message, text in messages(path).items()
        if (match := re.search(BLAMES[language], text, re.IGNORECASE))
    }
    assert found == {}
