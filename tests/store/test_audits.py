"""Audits kept for comparison."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailguard.errors import OperationError
from mailguard.store import open_store

MORNING = {"domain": "clinic.example.jp", "as_of": "2026-11-01T01:00:00Z", "spf": "古い"}
EVENING = {"domain": "clinic.example.jp", "as_of": "2026-11-01T09:00:00Z", "spf": "新しい"}
ELSEWHERE = {"domain": "other.example.jp", "as_of": "2026-11-01T02:00:00Z"}


def moment(hour: int) -> datetime:
    return datetime(2026, 11, 1, hour, tzinfo=UTC)


def test_the_last_audit_before_a_moment_is_found(tmp_path: Path) -> None:
    with open_store(tmp_path / "db") as store:
        for document in (MORNING, EVENING, ELSEWHERE):
            assert store.keep_audit(document)
        assert store.audit_before("clinic.example.jp", moment(12)) == EVENING
        assert store.audit_before("clinic.example.jp", moment(9)) == MORNING
        assert store.audit_before("clinic.example.jp", moment(1)) is None
        assert store.audit_before("third.example.jp", moment(12)) is None


def test_an_audit_is_kept_once(tmp_path: Path) -> None:
    with open_store(tmp_path / "db") as store:
        assert store.keep_audit(MORNING)
        assert not store.keep_audit({**MORNING, "spf": "otherwise"})
        assert store.audit_before("clinic.example.jp", moment(12)) == MORNING
        assert store.list_audits() == [("clinic.example.jp", int(moment(1).timestamp()))]
        assert store.list_audits("other.example.jp") == []


def test_what_could_not_be_kept_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailguard.store.sqlite.BUSY_MS", 1)
    with open_store(tmp_path / "db") as store, closing(sqlite3.connect(tmp_path / "db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(
            OperationError, match=r"audit of clinic\.example\.jp .* \(another program is writing to it\)"
        ):
            store.keep_audit(MORNING)
