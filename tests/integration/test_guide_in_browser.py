"""Guides in a real browser: readable on a phone and at the width of A4, accessible, and dead to all that was injected.

Screenshots are kept for whoever wants to look, in the folder that MAILGUARD_SCREENSHOTS names (build/screenshots).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mailguard.guidebook.blocks import Book
from mailguard.render.book.html import render_html
from mailguard.render.book.qr import qr_svg
from tests.guidebook.books import IMPRINT, every_block
from tests.guidebook.injection import ATTACKS, book_of
from tests.guidebook.test_render_whole import guide as poisoned_guide
from tests.guidebook.whole import portfolio, whole_guide

pytestmark = pytest.mark.integration

WIDTHS = {"phone": 390, "a4": 794}
SCREENSHOTS = Path(os.environ.get("MAILGUARD_SCREENSHOTS", "build/screenshots"))


@dataclass
class Watched:
    """A page, and all that it did beside being shown."""

    page: Any
    deeds: list[str] = field(default_factory=list)

    def open(self, file: Path, html: str) -> None:
        file.write_text(html, "utf-8")
        self.deeds.clear()
        self.page.goto(file.as_uri())
        self.page.wait_for_load_state("networkidle")

    def scrolls_sideways(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not here (Debian: chromium)")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(params=WIDTHS)
def watched(browser: Any, request: pytest.FixtureRequest) -> Iterator[Watched]:
    context = browser.new_context(viewport={"width": WIDTHS[request.param], "height": 900}, bypass_csp=False)
    page = context.new_page()
    watch = Watched(page)

    def dismiss(dialogue: Any) -> None:
        watch.deeds.append(f"dialogue {dialogue.message}")
        dialogue.dismiss()

    page.on("dialog", dismiss)
    page.on("console", lambda message: watch.deeds.append(f"console {message.text}"))
    page.on("pageerror", lambda error: watch.deeds.append(f"error {error}"))
    page.on("request", lambda asked: watch.deeds.append(f"request {asked.url}") if is_outside(asked.url) else None)
    yield watch
    context.close()


def is_outside(url: str) -> bool:
    return not url.startswith(("data:", "file:"))


def keep(watched: Watched, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    width = watched.page.viewport_size["width"]
    watched.page.screenshot(path=SCREENSHOTS / f"{name}-{width}.png", full_page=True)


BOOKS: dict[str, Callable[[], Book]] = {
    "ja": lambda: every_block("ja", imprint=IMPRINT),
    "en": lambda: every_block("en", imprint=IMPRINT),
    "furigana": lambda: every_block("ja", imprint=IMPRINT, furigana=True),
    "broken-ja": lambda: whole_guide("broken", "ja"),
    "broken-en": lambda: whole_guide("broken", "en"),
    "watched-ja": lambda: whole_guide("watched", "ja"),
    "watched-en": lambda: whole_guide("watched", "en"),
    "portfolio-ja": lambda: portfolio("ja"),
    "portfolio-en": lambda: portfolio("en"),
}
"""One of each kind of block, and whole guides as clinics and consultants get them."""


@pytest.mark.parametrize("name", BOOKS)
def test_a_guide_fits_and_does_nothing(watched: Watched, tmp_path: Path, name: str) -> None:
    watched.open(tmp_path / "guide.html", render_html(BOOKS[name]()))
    keep(watched, name)
    assert watched.deeds == []
    assert not watched.scrolls_sideways()


@pytest.mark.parametrize("name", BOOKS)
def test_a_guide_has_no_barriers(watched: Watched, tmp_path: Path, name: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    watched.open(tmp_path / "guide.html", render_html(BOOKS[name]()))
    found = Axe().run(watched.page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("name", ATTACKS)
def test_nothing_injected_runs(watched: Watched, tmp_path: Path, name: str) -> None:
    watched.open(tmp_path / "guide.html", render_html(book_of(ATTACKS[name])))
    assert watched.deeds == []
    assert watched.page.evaluate("window.injected") is None
    assert not watched.scrolls_sideways()
    assert watched.page.title().startswith("なりすましメール対策の手引き")


@pytest.mark.parametrize("name", ["script", "image", "out of an attribute"])
def test_nothing_published_runs_in_a_whole_guide(watched: Watched, tmp_path: Path, name: str) -> None:
    watched.open(tmp_path / "guide.html", render_html(poisoned_guide(ATTACKS[name], "ja")))
    assert watched.deeds == []
    assert watched.page.evaluate("window.injected") is None


@pytest.mark.skipif(shutil.which("zbarimg") is None, reason="no reader of QR codes is here (Debian: zbar-tools)")
@pytest.mark.parametrize(
    "record",
    [
        "v=DMARC1; p=none; rua=mailto:dmarc@clinic.example.jp",
        "v=DKIM1; k=rsa; p=" + "Ab3+/" * 78,
        'v=spf1 "a" \\; <b> &amp;',
    ],
    ids=["dmarc", "dkim", "other letters"],
)
def test_a_phone_reads_the_record_from_its_code(watched: Watched, tmp_path: Path, record: str) -> None:
    watched.page.set_content(f'<body style="margin:0"><div style="width:380px">{qr_svg(record)}</div></body>')
    watched.page.screenshot(path=tmp_path / "code.png")
    read = subprocess.run(
        ["zbarimg", "--raw", "--quiet", str(tmp_path / "code.png")], check=True, capture_output=True, text=True
    )
    assert read.stdout.removesuffix("\n") == record


def test_an_injection_that_works_is_noticed(watched: Watched, tmp_path: Path) -> None:
    """The watch itself: a page that does what ours must not."""
    watched.open(
        tmp_path / "a.html", "<p>x<script>window.injected=1;console.log(2);fetch('http://127.0.0.1:9/')</script>"
    )
    assert watched.page.evaluate("window.injected") == 1
    assert {deed.split()[0] for deed in watched.deeds} >= {"console", "request"}


def test_the_browser_prints_it_with_a_head_on_every_page(watched: Watched, tmp_path: Path) -> None:
    from pypdf import PdfReader

    watched.open(tmp_path / "guide.html", render_html(BOOKS["ja"]()))
    watched.page.pdf(path=tmp_path / "guide.pdf", prefer_css_page_size=True)
    pages = PdfReader(tmp_path / "guide.pdf").pages
    assert len(pages) == 8
    for number, page in enumerate(pages, 1):
        words = page.extract_text()
        assert "midori.example.jp" in words
        assert "MG-20261122-0AB1C2" in words
        assert f"{number} / {len(pages)}" in words
