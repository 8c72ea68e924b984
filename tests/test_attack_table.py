"""The table of attacks and faults in docs/development.md names tests that there are."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parent
TABLE = re.search(
    r"^### Attacks and faults\n(.*?)^### ", (TESTS.parent / "docs" / "development.md").read_text("utf-8"), re.M | re.S
)


def test_every_test_that_is_named_is_where_it_is_said_to_be() -> None:
    assert TABLE is not None
    named = 0
    for row in TABLE[1].splitlines():
        file = ""
        for word in re.findall(r"`([\w/.]+)`", row):
            if "/" in word or word.endswith(".py"):
                file = word
                places = (TESTS / file, TESTS.parent / file)
                assert any(place.exists() for place in places), f"there is no {file}"
            elif word.startswith("test_"):
                named += 1
                assert f"def {word}(" in (TESTS / file).read_text("utf-8"), f"{file} has no {word}"
    assert named > 30
