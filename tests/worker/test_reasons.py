"""Reasons lie on disks for weeks: what an id says is told in the reader's language, whatever version wrote it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mailguard
from mailguard.spool import Reason
from mailguard.words import translator
from mailguard.worker.reasons import _SENTENCES, sentence_of

JA = translator("ja")


def test_fields_are_told_in_the_reader_s_language() -> None:
    reason = Reason("nothing-readable", {"file": "a.zip", "why": "encrypted", "others": 2})
    english = "No report could be read: a.zip: it is encrypted (and 2 more files)."
    assert str(sentence_of(reason)) == english
    told = sentence_of(reason).told(JA)
    assert "a.zip" in told
    assert "2" in told
    assert "encrypted" not in told


def test_a_sentence_of_an_earlier_version_is_told_as_far_as_it_is_known() -> None:
    old = Reason("earlier", {"text": "Reading this mail took too long."})
    assert sentence_of(old).told(JA) == sentence_of(Reason("took-too-long")).told(JA)
    unknown = Reason("earlier", {"text": "Mail 7 {was} odd."})
    assert sentence_of(unknown).told(JA) == "Mail 7 {was} odd."


@pytest.mark.parametrize("reason", [Reason("of-a-later-version", {"id": "x"}), Reason("crashed"), Reason("earlier")])
def test_what_cannot_be_told_is_told_by_its_id(reason: Reason) -> None:
    assert "does not know" in sentence_of(reason)
    assert "知らない" in sentence_of(reason).told(JA)


@given(
    id=st.sampled_from([*_SENTENCES, "earlier"]) | st.text(max_size=20),
    fields=st.dictionaries(st.sampled_from(["file", "why", "others", "code", "kind", "text", "id", "{"]), st.text()),
)
def test_telling_never_raises(id: str, fields: dict[str, str]) -> None:
    reason = Reason(id, dict(fields))
    assert sentence_of(reason)
    assert sentence_of(reason).told(JA)


def test_every_reason_in_the_code_has_its_sentence() -> None:
    used = set()
    for path in Path(mailguard.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Reason" and node.args:
                used |= {node.args[0].value} if isinstance(node.args[0], ast.Constant) else set()
    assert used == set(_SENTENCES)
