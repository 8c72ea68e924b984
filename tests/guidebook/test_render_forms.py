"""A book in its forms: what every one of them says, and what is asked of its structure."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from itertools import pairwise
from typing import get_args

import jsonschema
import pytest

from mailguard.guidebook.blocks import Block, Bullets, Card, Heading, Kind, Paragraph, Part, Reader, Span, Table
from mailguard.render.book.chart import chart_svg
from mailguard.render.book.data import render_json, to_data
from mailguard.render.book.html import Medium, kind_of, render_html
from mailguard.render.book.markdown import render_markdown
from mailguard.render.book.picture import chart_png
from mailguard.render.book.qr import qr_svg
from mailguard.render.book.templates import our_names
from mailguard.render.book.text import render_text
from tests.guidebook.books import IMPRINT, book, can_draw, chart, every_block, finding, part, text

SCHEMA = json.loads((files("mailguard") / "render" / "schema" / "guide-1.schema.json").read_text("utf-8"))

SAID = (
    "院長先生へ",
    "止められません",
    "midori.example.jp",
    "2026年11月22日（令和8年11月22日）",
    "MG-20261122-0AB1C2",
    "DMARC の方針がまだ設定されていません",
    "名前と種類：",
    "いまの記録",
    "新しい記録",
    "DMARC で止まらないもの",
    "認証されたメールが増え、知らない送信元は減っています。",
    "230",
    "みどり病院",
    "ご不明な点は、いつでもお問い合わせください。",
    "例示ITサポート株式会社",
)


class Reading(HTMLParser):
    """Bare text, headings in their order, and what leads where."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.levels: list[int] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.pictures_without_words = 0
        self.heads_without_scope = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if len(tag) == 2 and tag[0] == "h" and tag[1].isdigit():
            self.levels.append(int(tag[1]))
        self.ids += [given["id"]] if given.get("id") else []
        self.links += [given["href"]] if given.get("href") else []
        self.pictures_without_words += tag == "img" and not given.get("alt")
        self.heads_without_scope += tag == "th" and given.get("scope") not in ("row", "col")

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def page() -> Reading:
    return Reading(render_html(every_block(imprint=IMPRINT)))


@pytest.mark.parametrize("words", SAID)
@pytest.mark.parametrize("render", [render_html, render_text])
def test_every_form_says_it(render: object, words: str) -> None:
    assert words in render(every_block(imprint=IMPRINT))  # type: ignore[operator]


@pytest.mark.parametrize("words", SAID)
def test_markdown_says_it(words: str) -> None:
    shown = render_markdown(every_block(imprint=IMPRINT)).replace("\\", "")
    assert words in shown


@pytest.mark.parametrize("kind", get_args(Block))
def test_every_kind_of_block_has_its_template(kind: type) -> None:
    assert f"blocks/{kind_of(kind)}.html.j2" in our_names()


def test_every_kind_of_block_is_in_the_book_of_these_tests() -> None:
    found = {block["block"] for block in _below(to_data(every_block())["parts"]) if "block" in block}
    assert found == {kind_of(kind) for kind in get_args(Block)}


def _below(value: object) -> list[dict[str, object]]:
    if isinstance(value, dict):
        return [value, *(one for item in value.values() for one in _below(item))]
    return [one for item in value for one in _below(item)] if isinstance(value, list) else []


@pytest.mark.parametrize("language", ["ja", "en"])
def test_json_follows_its_schema(language: str) -> None:
    jsonschema.validate(json.loads(render_json(every_block(language, imprint=IMPRINT))), SCHEMA)


def test_the_schema_refuses_what_it_does_not_know() -> None:
    told = to_data(every_block()) | {"more": 1}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(told, SCHEMA)


def test_headings_skip_no_level(page: Reading) -> None:
    assert page.levels[0] == 1
    assert page.levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(page.levels))


def test_headings_of_any_level_skip_none() -> None:
    deep = Card(text("a"), (Heading(text("b"), level=5), Card(text("c"), (Heading(text("d"), level=3),))))
    levels = Reading(render_html(book(part(Heading(text("x"), level=4), deep, Heading(text("y")))))).levels
    assert levels == [1, 2, 3, 3, 4, 4, 5, 3]


def test_headings_of_one_level_look_alike() -> None:
    card = Card(text("a"), tuple(Heading(text(word), level=2) for word in "bcd"))
    assert Reading(render_html(book(part(card, card)))).levels == [1, 2, 3, 4, 4, 4, 3, 4, 4, 4]


def test_links_within_lead_somewhere(page: Reading) -> None:
    within = {link.removeprefix("#") for link in page.links if link.startswith("#")}
    assert within
    assert within <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))


def test_the_contents_name_parts_and_findings(page: Reading) -> None:
    assert {"#director", "#findings", "#DMARC001", "#DKIM004", "#monitoring", "#glossary"} <= set(page.links)


def test_pictures_have_words_and_heads_a_direction(page: Reading) -> None:
    assert page.pictures_without_words == 0
    assert page.heads_without_scope == 0


def test_one_part_alone_has_no_contents() -> None:
    assert "<nav" not in render_html(book(part(Paragraph(text("短い手紙です。")))))


def test_the_same_book_is_the_same_file() -> None:
    assert render_html(every_block()) == render_html(every_block())


def test_nothing_is_fetched_or_run() -> None:
    html = render_html(every_block(imprint=IMPRINT))
    assert "<script" not in html
    assert 'src="http' not in html
    assert "default-src 'none'" in html


def test_words_carry_their_reading_as_ruby() -> None:
    words = Paragraph((Span("署名", Kind.RUBY, "しょめい"),))
    assert "<ruby>署名<rp>（</rp><rt>しょめい</rt><rp>）</rp></ruby>" in render_html(book(part(words)))
    assert "署名（しょめい）" in render_text(book(part(words)))
    assert "署名（しょめい）" in render_markdown(book(part(words)))


def test_furigana_is_given_to_our_words_and_not_to_facts() -> None:
    words = Paragraph((Span("送信"), Span("送信", Kind.FACT)))
    html = render_html(book(part(words), furigana=True))
    assert "<ruby>送信" in html
    assert "<bdi>送信</bdi>" in html


def test_paper_has_readings_without_ruby() -> None:
    html = render_html(book(part(Paragraph((Span("署名", Kind.RUBY, "しょめい"),)))), medium=Medium.PAPER)
    assert "<ruby" not in html
    assert "しょめい" in html


def test_a_part_may_be_for_some_readers() -> None:
    only = Part(
        "todo",
        text("すること"),
        (
            Paragraph(
                text("一つ"),
            ),
        ),
        readers=frozenset({Reader.IT, Reader.VENDOR}),
    )
    assert to_data(book(only))["parts"][0]["readers"] == ["it", "vendor"]


def test_markdown_lists_hold_blocks() -> None:
    inner = Bullets(((Paragraph(text("内")),),))
    shown = render_markdown(book(part(Bullets(((Paragraph(text("外")), inner),), ordered=True))))
    assert "1. 外\n\n   - 内" in shown


def test_a_table_without_rows_is_still_a_table() -> None:
    empty = book(part(Table((text("a"), text("b")), ())))
    assert "<thead>" in render_html(empty)
    assert "| a | b |" in render_markdown(empty)


@pytest.mark.parametrize("medium", Medium)
def test_a_row_without_a_name_has_no_head(medium: Medium) -> None:
    table = Table((text("a"), text("b")), ((text("c"), text("d")), ((), text("e"))))
    shown = render_html(book(part(table)), medium=medium)
    assert shown.count('<th scope="row">') == 1
    assert '<td data-label="a"></td>' in shown


@pytest.mark.parametrize("horizontal", [False, True])
def test_a_chart_draws_every_number(horizontal: bool) -> None:
    drawn = chart(horizontal)
    bars = sum((value or 0) > 0 for row in drawn.series for value in row.values)
    assert chart_svg(drawn, "ja").count("<rect") == bars + len(drawn.series)


@pytest.mark.parametrize("horizontal", [False, True])
@pytest.mark.parametrize("values", [(), (0,), (-5,), (10**18,), (1,) * 1000, (0, 0, 3), (None,), (None, 2) * 80])
def test_a_chart_can_draw_any_numbers(values: tuple[int | None, ...], horizontal: bool) -> None:
    few = chart(horizontal)
    rows = tuple(replace(row, values=values) for row in few.series)
    svg = chart_svg(replace(few, labels=("x",) * len(values), series=rows), "en")
    assert svg.endswith("</svg>")
    assert "-" not in "".join(piece.split('"')[0] for piece in svg.split('height="')[1:])


def test_a_chart_without_rows_is_empty() -> None:
    assert "<rect" not in chart_svg(replace(chart(), labels=(), series=()), "ja")


@pytest.mark.skipif(not can_draw(), reason="no font here can show Japanese")
def test_a_chart_as_a_picture_for_mail() -> None:
    png = chart_png(chart(), "ja")
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert png == chart_png(chart(), "ja")


def test_a_code_holds_the_record_or_is_left_out() -> None:
    assert qr_svg("v=DMARC1; p=none").startswith("<svg")
    assert qr_svg("x" * 5000) == ""
    assert '<figure class="code">' in render_html(book(part(finding())))
