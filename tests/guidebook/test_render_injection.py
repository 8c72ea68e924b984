"""What strangers wrote is shown and never obeyed, in every form of a guide."""

from __future__ import annotations

import json
import unicodedata
from functools import cache
from html.parser import HTMLParser
from io import BytesIO
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt
from pypdf import PdfReader

from mailguard.guidebook.blocks import Chart, Kind, Paragraph, Part, Span
from mailguard.render.book.chart import chart_svg
from mailguard.render.book.data import render_json
from mailguard.render.book.html import Medium, render_html
from mailguard.render.book.markdown import render_markdown
from mailguard.render.book.pdf import render_pdf
from mailguard.render.book.qr import qr_svg
from mailguard.render.book.text import render_text
from tests.guidebook.books import book, can_draw, part
from tests.guidebook.injection import ATTACKS, HARMLESS, book_of

TOO_LONG_FOR_A_CODE = "x" * 3000
HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


@pytest.fixture(params=ATTACKS)
def attack(request: pytest.FixtureRequest) -> str:
    return ATTACKS[request.param]


class Skeleton(HTMLParser):
    """Elements with the names of their attributes, and the addresses that they lead to or load."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.addresses: set[str] = set()
        self.style = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.addresses.update(value or "" for name, value in attrs if name in ("href", "src", "action", "data"))

    def handle_data(self, data: str) -> None:
        if self.elements and self.elements[-1][0] == "style":
            self.style += data

    def handle_decl(self, decl: str) -> None:
        assert decl == "DOCTYPE html"

    def handle_comment(self, data: str) -> None:
        raise AssertionError("a comment")

    def unknown_decl(self, data: str) -> None:
        raise AssertionError("a declaration")


@cache
def harmless(medium: Medium, text: str) -> Skeleton:
    return Skeleton(render_html(book_of(text), medium=medium))


@pytest.mark.parametrize("medium", Medium)
def test_html_has_the_same_elements_whatever_is_written(attack: str, medium: Medium) -> None:
    found = Skeleton(render_html(book_of(attack), medium=medium))
    like = HARMLESS if attack and qr_svg(attack) else TOO_LONG_FOR_A_CODE
    assert found.elements == harmless(medium, like).elements


def test_html_leads_nowhere_else(attack: str) -> None:
    found = Skeleton(render_html(book_of(attack)))
    assert {one for one in found.addresses if not one.startswith(("data:image/", "#"))} == {
        "https://www.example.jp/guide"
    }
    assert "url(" not in found.style
    assert "@import" not in found.style


def test_html_hides_nothing(attack: str) -> None:
    html = render_html(book_of(attack))
    assert not [char for char in html if char != "\n" and unicodedata.category(char) in HIDDEN]
    html.encode()


def test_templates_in_texts_are_not_carried_out() -> None:
    html = render_html(book_of(ATTACKS["template"]))
    assert "{{7*7}}" in html
    assert ">49" not in html


@cache
def markdown_skeleton(attack: str) -> list[str]:
    tokens = (
        MarkdownIt("commonmark", {"html": True, "linkify": False})
        .enable("table")
        .parse(render_markdown(book_of(attack)))
    )
    flat = [child for token in tokens for child in [token, *(token.children or [])]]
    return [token.type for token in flat if token.type not in ("text", "text_special")]


@pytest.mark.parametrize("name", sorted(set(ATTACKS) - {"empty", "blank", "markdown of a page", "mail header"}))
def test_markdown_has_the_same_structure_whatever_is_written(name: str) -> None:
    assert markdown_skeleton(ATTACKS[name]) == markdown_skeleton(HARMLESS)


def test_markdown_holds_no_markup_of_others(attack: str) -> None:
    kinds = set(markdown_skeleton(attack))
    assert not kinds & {"html_inline", "html_block", "image", "fence"}
    assert kinds <= set(markdown_skeleton(HARMLESS))


@pytest.mark.parametrize("render", [render_markdown, render_text])
def test_texts_hide_nothing(attack: str, render: object) -> None:
    text = render(book_of(attack))  # type: ignore[operator]
    assert not [char for char in text if char != "\n" and unicodedata.category(char) in HIDDEN]
    text.encode()


def test_text_grows_no_lines(attack: str) -> None:
    lines = len(render_text(book_of(attack)).splitlines())
    assert lines <= len(render_text(book_of(HARMLESS)).splitlines()) + attack.count("\n")


def test_json_keeps_the_text_and_escapes_what_is_hidden(attack: str) -> None:
    text = render_json(book_of(attack))
    assert json.loads(text)["domain"] == attack
    assert not [char for char in text if char != "\n" and unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]


def test_charts_have_the_same_elements(attack: str) -> None:
    assert {e.tag for e in drawn(attack).iter()} == {e.tag for e in drawn(HARMLESS).iter()}
    assert not {"href", "onload", "style"} & {name for element in drawn(attack).iter() for name in element.attrib}


def drawn(attack: str) -> ElementTree.Element:
    chart = next(block for one in book_of(attack).parts for block in one.blocks if isinstance(block, Chart))
    return ElementTree.fromstring(chart_svg(chart, "ja"))


@cache
def poisoned_pdf() -> PdfReader:
    # pypdf cannot read text in a font with an encoding of its own, which a glyph that no font here has brings about.
    attacks = [attack[:3000] for name, attack in ATTACKS.items() if name != "emoji"]
    parts = tuple(
        Part(f"p{number}", (Span(attack, Kind.FACT),), page_of(attack).blocks) for number, attack in enumerate(attacks)
    )
    whole = book(*parts, domain=ATTACKS["out of the style"])
    return PdfReader(BytesIO(render_pdf(whole)))


def page_of(attack: str) -> Part:
    return next(one for one in book_of(attack).parts if one.id == "findings")


@pytest.mark.skipif(not can_draw(), reason="no font here can show Japanese")
def test_pdf_shows_the_texts_and_runs_nothing() -> None:
    reader = poisoned_pdf()
    text = "".join(page.extract_text() for page in reader.pages)
    assert "<script>" in text
    assert "root:" not in text, "a file of this machine"
    objects = range(int(reader.trailer["/Size"]) - 1)
    raw = b"".join(bytes(str(reader.get_object(number + 1)), "utf-8", "replace") for number in objects)
    assert not reader.attachments
    for name in (b"'/JS'", b"'/JavaScript'", b"'/OpenAction'", b"'/Launch'", b"'/EmbeddedFiles'"):
        assert name not in raw


@pytest.mark.skipif(not can_draw(), reason="no font here can show Japanese")
def test_pdf_leads_to_named_sources_only() -> None:
    annotations = [note.get_object() for page in poisoned_pdf().pages for note in page.get("/Annots", [])]
    actions = [note["/A"] for note in annotations if "/A" in note]
    assert {action.get("/URI") for action in actions} <= {None}


def test_a_link_that_runs_is_bare_words() -> None:
    html = render_html(book(part(*[_link(target) for target in ("javascript:alert(1)", "#nowhere", "//evil.example")])))
    assert "<a href" not in html


def _link(target: str) -> Paragraph:
    return Paragraph((Span("here", Kind.LINK, target),))
