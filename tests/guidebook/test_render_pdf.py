"""The PDF: what readers, screen readers and archives ask of it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from mailguard.errors import OperationError, UsageError
from mailguard.guidebook.blocks import Book, Paragraph, Span
from mailguard.render.book import fonts
from mailguard.render.book.fonts import families, find_font
from mailguard.render.book.pdf import render_pdf
from mailguard.render.book.pool import PdfPool
from mailguard.words import translator
from tests.guidebook.books import IMPRINT, book, can_draw, every_block, page_one, part, text
from tests.guidebook.whole import portfolio

pytestmark = pytest.mark.skipif(not can_draw(), reason="no font here can show Japanese")


@pytest.fixture(scope="module")
def made() -> bytes:
    return render_pdf(every_block(imprint=IMPRINT))


@pytest.fixture(scope="module")
def reader(made: bytes) -> PdfReader:
    return PdfReader(BytesIO(made))


@pytest.fixture(scope="module")
def root(reader: PdfReader) -> Any:
    return reader.trailer["/Root"]


def bookmarks(outline: list[Any], depth: int = 0) -> Iterator[tuple[int, str]]:
    for entry in outline:
        if isinstance(entry, list):
            yield from bookmarks(entry, depth + 1)
        else:
            yield depth, entry.title


def test_bookmarks_are_parts_and_findings(reader: PdfReader) -> None:
    assert list(bookmarks(reader.outline)) == [
        (0, "院長先生へ"),
        (0, "見つかったこと"),
        (1, "DMARC の方針がまだ設定されていません"),
        (1, "DKIM の鍵が短いままです"),
        (0, "見守り"),
        (0, "用語と様式"),
    ]


def test_it_opens_with_the_outline(root: Any) -> None:
    assert root["/PageMode"] == "/UseOutlines"


def test_it_is_tagged_and_says_its_language_and_title(reader: PdfReader, root: Any) -> None:
    assert root["/Lang"] == "ja"
    assert root["/MarkInfo"]["/Marked"]
    assert root["/StructTreeRoot"]["/K"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert b'pdfuaid:part="1"' in root["/Metadata"].get_data()
    assert reader.metadata is not None
    assert reader.metadata.title == "なりすましメール対策の手引き midori.example.jp"
    assert reader.metadata.author == "例示ITサポート株式会社"


def test_structure_has_headings_tables_lists_and_figures_with_words(root: Any) -> None:
    kinds, without_words = set(), 0
    waiting = [root["/StructTreeRoot"]]
    while waiting:
        element = waiting.pop().get_object()
        if not hasattr(element, "get"):
            continue
        kinds.add(element.get("/S"))
        without_words += element.get("/S") == "/Figure" and not element.get("/Alt")
        below = element.get("/K", [])
        waiting += below if isinstance(below, list) else [below]
    assert {"/H1", "/H2", "/H3", "/H4", "/P", "/Table", "/TH", "/TD", "/L", "/LI", "/Figure", "/Link"} <= kinds
    assert without_words == 0


def test_japanese_can_be_read_out(reader: PdfReader) -> None:
    words = "".join(page.extract_text() for page in reader.pages)
    for sentence in ("いま、だれでも貴院の名前でメールを送れます。", "DMARC で止まらないもの", "みどり病院"):
        assert sentence in words


def test_every_page_has_date_domain_number_and_page_number(reader: PdfReader) -> None:
    for place, page in enumerate(reader.pages, 1):
        words = page.extract_text()
        assert f"{place} / {len(reader.pages)}" in words
        assert "midori.example.jp" in words
        assert "2026年11月22日" in words
        assert "MG-20261122-0AB1C2" in words


@pytest.mark.parametrize(("language", "said"), [("ja", "偽メールは止められません"), ("en", "clinics")])
def test_a_portfolio_keeps_the_same_promises(language: str, said: str) -> None:
    reader = PdfReader(BytesIO(render_pdf(portfolio(language))))
    root: Any = reader.trailer["/Root"]
    assert (root["/PageMode"], root["/Lang"]) == ("/UseOutlines", language)
    assert root["/MarkInfo"]["/Marked"]
    assert b'pdfuaid:part="1"' in root["/Metadata"].get_data()
    titles = [title for _, title in bookmarks(reader.outline)]
    assert len(titles) >= len(portfolio(language).parts)
    pages = [page.extract_text() for page in reader.pages]
    assert all(f"{place} / {len(pages)}" in words for place, words in enumerate(pages, 1))
    assert said in "".join(pages)


def test_pages_are_a4(reader: PdfReader) -> None:
    assert {(round(page.mediabox.width), round(page.mediabox.height)) for page in reader.pages} == {(595, 842)}


def test_fonts_are_embedded(reader: PdfReader) -> None:
    held = [font.get_object() for page in reader.pages for font in page["/Resources"]["/Font"].values()]
    descriptors = [font["/DescendantFonts"][0].get_object()["/FontDescriptor"] for font in held]
    assert descriptors
    assert all("/FontFile2" in one or "/FontFile3" in one for one in descriptors)


def test_the_same_book_gives_the_same_bytes(made: bytes) -> None:
    assert render_pdf(every_block(imprint=IMPRINT)) == made


def test_the_same_bytes_in_another_process(made: bytes) -> None:
    with PdfPool() as pool:
        assert pool.render(every_block(imprint=IMPRINT)) == made


def test_dates_are_those_of_the_book(reader: PdfReader) -> None:
    assert reader.metadata is not None
    assert reader.metadata["/CreationDate"] == reader.metadata["/ModDate"] == "D:20261122030000Z"


def test_readings_stand_on_their_words() -> None:
    words = Paragraph((Span("送信"), Span("します。")))
    shown = PdfReader(BytesIO(render_pdf(book(part(words), furigana=True)))).pages[0].extract_text()
    assert "そうしん" in shown
    assert "送信" in shown


def test_the_directors_page_alone_is_one_page() -> None:
    assert len(PdfReader(BytesIO(render_pdf(book(page_one())))).pages) == 1


def test_a_domain_of_253_characters_does_not_push_the_head_away() -> None:
    long = ".".join(["a" * 61] * 4) + ".jp"
    page = PdfReader(BytesIO(render_pdf(_of(long)))).pages[0].extract_text()
    assert "MG-20261122-0AB1C2" in page
    assert long in page.replace("\n", "")


def _of(domain: str) -> Book:
    return book(part(Paragraph(text("短い文です。"))), domain=domain)


def test_a_font_that_is_not_here_is_told_in_one_sentence() -> None:
    with pytest.raises(UsageError) as told:
        render_pdf(_of("a.example.jp"), font="No Such Gothic")
    assert "'No Such Gothic'" in str(told.value)
    assert "このコンピューターにありません" in told.value.told(translator("ja"))


def test_a_font_file_without_japanese_is_told() -> None:
    latin = _file("DejaVu Sans")
    with pytest.raises(UsageError, match="cannot show Japanese"):
        find_font(str(latin))


def test_a_file_that_is_no_font_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.ttf").write_bytes(b"no font")
    with pytest.raises(UsageError, match="cannot be read"):
        find_font(str(tmp_path / "a.ttf"))


def test_a_font_file_is_used() -> None:
    family = find_font().family
    file = _file(family)
    made = PdfReader(BytesIO(render_pdf(_of("a.example.jp"), font=str(file))))
    names = {str(font.get_object()["/BaseFont"]) for font in made.pages[0]["/Resources"]["/Font"].values()}
    assert any(family.split()[0].replace(" ", "") in name.replace("-", "") for name in names)


def _file(family: str) -> Path:
    found = subprocess.run(["fc-match", "-f", "%{family}|%{file}", family], capture_output=True, text=True, check=True)
    name, _, file = found.stdout.partition("|")
    if family not in name or Path(file).suffix not in (".ttf", ".otf", ".ttc"):
        pytest.skip(f"no file of {family} here")
    return Path(file)


def test_no_font_for_japanese_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "families", frozenset)
    with pytest.raises(OperationError) as told:
        render_pdf(_of("a.example.jp"))
    assert "fonts-morisawa-bizud-gothic" in str(told.value)
    assert "日本語を表示できるフォント" in told.value.told(translator("ja"))


def test_a_machine_without_fontconfig_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    families.cache_clear()
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(OperationError, match="fontconfig"):
        families()
    families.cache_clear()


def test_without_pango_it_is_told_in_one_sentence() -> None:
    """The import of the engine fails as it does on a machine without its C libraries."""
    script = """
import sys
class Gone:
    def find_spec(self, name, path=None, target=None):
        if name == "weasyprint":
            raise OSError("cannot load library 'libpango-1.0-0'")
sys.meta_path.insert(0, Gone())
from mailguard.errors import OperationError
from mailguard.render.book.pdf import render_pdf
from tests.guidebook.books import every_block
try:
    render_pdf(every_block())
except OperationError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=Path.cwd())
    assert "pango" in done.stdout
    assert "\n" not in done.stdout.strip()


@pytest.mark.skipif(not shutil.which("pdftotext"), reason="pdftotext is not here")
def test_another_reader_finds_words_that_carry_readings(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(render_pdf(book(part(Paragraph(text("メールを送信します。"))), furigana=True)))
    done = subprocess.run(["pdftotext", tmp_path / "a.pdf", "-"], capture_output=True, text=True, check=True)
    assert "送信" in done.stdout
