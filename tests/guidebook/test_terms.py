"""One name for one thing, over all texts of the guide."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mailguard.guidebook.blocks import Table, plain
from mailguard.guidebook.parts import findings, monitoring
from mailguard.guidebook.texts import Texts
from mailguard.resources import policies
from mailguard.traffic import SourceClass
from tests.guidebook.cases import blocks_in, case_of, source, traffic
from tests.guidebook.test_claims import statements
from tests.render.documents import document_of
from tools.guide_catalogue import catalogues, messages

REPORTED = traffic(
    *(source(f"192.0.2.{number}", 10, number % 2, kind) for number, kind in enumerate(SourceClass, 1)),
)
OPEN_BELOW = """
    clinic.example.jp         MX   10 mx.clinic.example.jp
    mx.clinic.example.jp      A    192.0.2.1
    clinic.example.jp         TXT  "v=spf1 ip4:192.0.2.1 -all"
    _dmarc.clinic.example.jp  TXT  "v=DMARC1; p=reject; sp=none; rua=mailto:dmarc@clinic.example.jp"
"""

OTHER_NAMES = {
    "ja": ("二要素認証", "多要素認証", "2段階認証", "心当たりを確かめる送信元"),
    "en": ("two-factor", "multi-factor", "two-step verification", "Not known to us"),
}
"""Second names of what has one already: 二段階認証 (two-step sign-in), 手がかりなし (nothing known)."""


def texts(language: str) -> Iterator[tuple[str, str]]:
    """Catalogues, pages, and the data that guides print."""
    yield from statements(language)
    for path in sorted((policies() / "guide").iterdir(), key=lambda one: one.name):
        yield path.name, path.read_text("utf-8")


@pytest.mark.parametrize("language", ["ja", "en"])
def test_nothing_has_a_second_name(language: str) -> None:
    found = {(place, name) for place, text in texts(language) for name in OTHER_NAMES[language] if name in text}
    assert found == set()


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("kind", SourceClass)
def test_each_source_class_has_one_name(language: str, kind: SourceClass) -> None:
    ids = [one for path in catalogues(language).values() for one in messages(path) if one.endswith(f".class.{kind}")]
    assert ids == [f"monitoring.class.{kind}"]


@pytest.mark.parametrize("language", ["ja", "en"])
def test_names_of_classes_are_explained_where_they_stand_and_alike_in_all_parts(language: str) -> None:
    words = Texts(language)
    names = {words.plain(f"monitoring.class.{kind}"): words.plain(f"monitoring.meaning.{kind}") for kind in SourceClass}
    case = case_of(document_of(OPEN_BELOW, "clinic.example.jp"), traffic=REPORTED)
    seen: dict[str, set[str]] = {}
    for make in (findings.make, monitoring.make):
        part = make(case, words)
        assert part is not None
        for block in blocks_in(part.blocks):
            if isinstance(block, Table) and plain(block.head[-1]) == words.plain("monitoring.meaning"):
                for row in block.rows:
                    assert names[plain(row[0])] == plain(row[-1])
                    seen.setdefault(part.id, set()).add(plain(row[0]))
    assert seen["findings"] <= seen["monitoring"] == set(names)
    assert len(seen["findings"]) > 1
