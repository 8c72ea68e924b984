"""The guide's catalogues: both languages, the same placeholders, nothing unused, compiled."""

from __future__ import annotations

from tools import guide_catalogue


def test_the_catalogues_agree() -> None:
    assert list(guide_catalogue.faults()) == []


def test_a_placeholder_that_differs_is_a_fault() -> None:
    assert list(guide_catalogue._faults_of("todo", "todo.x", "{a} と {b}", "{a}")) == ["placeholders differ: todo.x"]
    assert list(guide_catalogue._faults_of("todo", "todo.x", "あ", "")) == ["todo.x lacks its English text"]
