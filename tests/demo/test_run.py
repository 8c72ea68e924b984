"""The whole loop, once: name server, audits, report mails over SMTP, database, guide."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailguard.demo.run import HOSPITALS, DemoResult, run_demo
from mailguard.demo.send import build_mails
from mailguard.demo.words import JA
from mailguard.errors import OperationError
from mailguard.feedback.mail import read_mail

AS_OF = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


async def play(output: Path, language: str = "ja") -> tuple[DemoResult, list[str]]:
    said: list[str] = []
    return await run_demo(output, language, said.append, as_of=AS_OF), said


async def test_the_whole_loop(tmp_path: Path) -> None:
    result, said = await play(tmp_path / "out")
    audits = {one["domain"]: one for one in json.loads(result.audits.read_text("utf-8"))}
    verdicts = {domain: audits[domain]["spoofable"]["domain"] for domain in HOSPITALS}
    assert verdicts == {
        "aozora-clinic.example": "yes",
        "midori-iin.example": "yes",
        "hinata-hp.example": "yes",
        "chuo-hp.example": "no",
        "kyu-chuo-hp.example": "no",
        "byoin.city-minato.example": "partly",
        "kita-hp.example": "yes",
    }
    assert not any(audit["unanswered"] for audit in audits.values())
    guide = result.guides[0].read_text("utf-8")
    assert '<html lang="ja">' in guide
    assert JA.demonstration in guide
    assert "192.0.2.77" in guide  # from the reports
    assert "v=spf1 a:www5678.sakura.ne.jp ~all" in guide  # from the audit
    assert said[-1] == "ご自分のドメインを確認するには: mailguard audit あなたのドメイン"
    assert any(str(result.guides[0]) in line for line in said)


async def test_playing_it_again_counts_nothing_twice(tmp_path: Path) -> None:
    first, _ = await play(tmp_path)
    again, said = await play(tmp_path, "en")
    assert (first.mails, first.messages) == (again.mails, again.messages)
    assert first.mails == 35
    assert "840 mails" in " ".join(said)
    with sqlite3.connect(first.database) as connection:
        assert connection.execute("SELECT COUNT(*) FROM report").fetchone() == (35,)
        assert connection.execute("SELECT COUNT(*) FROM unreadable").fetchone() == (0,)
    connection.close()


def test_the_samples_are_read_without_a_defect() -> None:
    mails = build_mails(AS_OF, days=2)
    assert mails == build_mails(AS_OF, days=2)
    contents = [read_mail(mail.raw) for mail in mails]
    assert [len(one.reports) for one in contents] == [1] * 10
    assert all(one.unreadable == () and one.reports[0].defects == () for one in contents)
    names = {one.reports[0].org_name for one in contents}
    assert names == {"google.com", "Outlook.com", "Yahoo! Inc.", "docomo.ne.jp", "Aoba Mail"}


async def test_a_folder_that_cannot_be_used_is_our_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OperationError, match="--output"):
        await play(tmp_path / "file" / "out")
