"""The whole loop, once: name server, audits, report mails over SMTP, the trust check, database, guides."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from mailguard.demo import run
from mailguard.demo.reporters import Signer
from mailguard.demo.run import HOSPITALS, DemoResult, run_demo
from mailguard.demo.send import build_mails, forge_mail
from mailguard.errors import OperationError
from mailguard.feedback.mail import read_mail
from mailguard.guidebook.blocks import Book
from mailguard.guidebook.brand import Brand
from mailguard.render.forms import render
from tests.guidebook.books import can_draw

AS_OF = datetime.now(UTC)  # signatures bear the time of their making, so the reports lead up to it
NOTICES = {"ja": "これは架空の病院を使った実演です。", "en": "This is a demonstration with fictional hospitals."}


Played = tuple[DemoResult, list[str]]


async def play(output: Path, language: str = "ja") -> Played:
    said: list[str] = []
    return await run_demo(output, language, said.append, as_of=AS_OF), said


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """The demonstration in Japanese, once for all who only look."""
    return asyncio.run(play(tmp_path_factory.mktemp("demo") / "out"))


@pytest.fixture(scope="module")
def again(played: Played) -> Played:
    """The same once more in English, into the same folder."""
    return asyncio.run(play(played[0].database.parent, "en"))


class Page(HTMLParser):
    """The text that is seen of a page, and where its parts begin."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.text = ""
        self.language = ""
        self.begins: dict[str, int] = {}
        self.open = ""
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given, self.open = dict(attrs), tag
        self.language = self.language or given.get("lang") or ""
        if given.get("id"):
            self.begins[str(given["id"])] = len(self.text)

    def handle_data(self, data: str) -> None:
        self.text += data if self.open != "style" else ""


def grades(database: Path) -> dict[str, int]:
    """How many reports are stored with which grade."""
    with closing(sqlite3.connect(database)) as connection:
        return dict(connection.execute("SELECT grade, COUNT(*) FROM report GROUP BY grade"))


def test_the_whole_loop(played: Played) -> None:
    result, said = played
    assert [path.name for path in result.database.parent.glob("reports.sqlite*")] == ["reports.sqlite"]
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
    (path,) = result.guides
    guide = Page(path)
    assert guide.language == "ja"
    assert guide.begins["director"] < guide.begins["todo"] < guide.begins["findings"]
    assert "192.0.2.77" in guide.text  # from the reports
    assert "v=spf1 a:www5678.sakura.ne.jp ~all" in guide.text  # from the audit
    assert all(hospital in Page(result.portfolio).text for hospital in HOSPITALS)
    assert said[-1] == "ご自分のドメインの手引きを作るには: mailguard guide あなたのドメイン -o guide.html"
    assert len(said) < 25
    for file in (*result.guides, result.portfolio, result.audits, result.database):
        assert any(str(file) in line for line in said)


def test_signed_reports_count_and_the_forged_one_does_not(played: Played) -> None:
    result, said = played
    assert grades(result.database) == {"verified": 35, "unverified": 1}
    assert (result.traffic.messages, result.traffic.unverified) == (840, 1)
    assert {reporter.domain for reporter in result.traffic.reporters} == {
        "tsubame-mail.example",
        "suzuran.example",
        "dmarc.kawasemi.example",
        "hayabusa.example",
        "aoba-mail.example",
    }
    assert [line for line in said if "840" in line] == [
        "  数えました: 電子署名（DKIM）で送り主を確かめられたレポート 35 件。メール 840 通のことが書いてあります。"
    ]
    assert any(line.startswith("  数えませんでした: 送り主を確かめられないレポート 1 件。") for line in said)
    text = Page(result.guides[0]).text
    assert "ほかに1件のレポートが届いています。送り主を確かめられないため、数えていません。" in text
    assert "5,000" not in text


async def test_it_is_the_name_server_that_proves_who_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    of_others = Signer().zones()
    monkeypatch.setattr(Signer, "zones", lambda _: of_others)
    result, _ = await play(tmp_path)
    assert (result.traffic.messages, result.traffic.unverified) == (0, 36)


def test_every_file_for_people_says_that_it_is_fiction(again: Played) -> None:
    result, _ = again
    assert [Page(path).language for path in result.guides] == ["ja", "en"]
    for path in (*result.guides, result.portfolio):
        page = Page(path)
        assert page.text.index(NOTICES[page.language]) < 400
    if result.pdf:
        (sheet,) = PdfReader(BytesIO(result.pdf.read_bytes())).pages
        assert "fictional" in sheet.extract_text()
    assert (result.pdf is not None) == can_draw()


async def test_where_no_pdf_can_be_drawn_one_line_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_fonts(form: str, book: Book, brand: Brand) -> Iterator[tuple[str, bytes]]:
        if form == "pdf":
            raise OperationError("there is no font {name}", name="fontconfig")
        return render(form, book, brand)

    monkeypatch.setattr(run, "render", without_fonts)
    result, said = await play(tmp_path)
    assert result.pdf is None
    (line,) = [line for line in said if "PDF" in line]
    assert line.startswith("  PDFは作れませんでした。")
    assert "fontconfig" in line


def test_playing_it_again_counts_nothing_twice(played: Played, again: Played) -> None:
    first, _ = played
    second, said = again
    assert first.traffic == second.traffic
    assert "840 mails" in " ".join(said)
    assert grades(first.database) == {"verified": 35, "unverified": 1}
    with closing(sqlite3.connect(first.database)) as connection:
        assert connection.execute("SELECT COUNT(*) FROM unreadable").fetchone() == (0,)


def test_the_samples_are_read_without_a_defect() -> None:
    mails = build_mails(AS_OF, days=2)
    assert mails == build_mails(AS_OF, days=2)
    contents = [read_mail(mail.raw) for mail in (*mails, forge_mail(AS_OF))]
    assert [len(one.reports) for one in contents] == [1] * 11
    assert all(one.unreadable == () and one.reports[0].defects == () for one in contents)
    names = {one.reports[0].org_name for one in contents}
    assert names == {"tsubame-mail.example", "Suzuran Mail", "Kawasemi! Inc.", "hayabusa.example", "Aoba Mail"}


def test_the_forged_report_bears_a_true_ones_number() -> None:
    true = {read_mail(mail.raw).reports[0].report_id for mail in build_mails(AS_OF)}
    assert read_mail(forge_mail(AS_OF).raw).reports[0].report_id in true


async def test_a_folder_that_cannot_be_used_is_our_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OperationError, match="--output"):
        await play(tmp_path / "file" / "out")
