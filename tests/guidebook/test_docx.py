"""Letters as Word files: read back, they say what the book says, and hold nothing that acts."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any
from xml.etree import ElementTree
from zipfile import ZipFile

import docx
import pytest

from mailguard.guidebook.actors import Actor
from mailguard.guidebook.blocks import Book, Card, Imprint, Kind, Record, Span
from mailguard.guidebook.book import make_book
from mailguard.guidebook.brand import Brand
from mailguard.guidebook.letters import make_letters
from mailguard.guidebook.telling import name_of, plan_of
from mailguard.guidebook.texts import Texts
from mailguard.render.book.docx import LETTERS, render_letters
from tests.guidebook.books import every_block, part, text
from tests.guidebook.cases import blocks_in, case_of
from tests.guidebook.injection import ATTACKS, book_of
from tests.guidebook.vendors import CLINIC, TWO, moved
from tests.render.documents import document_of
from tests.render.test_golden import documents

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
LANGUAGES = ("ja", "en")


def book(language: str = "ja", **more: Any) -> Book:
    return make_book(case_of(moved(), clinic=CLINIC, **more), language)


def files(language: str = "ja") -> dict[str, bytes]:
    return dict(render_letters(book(language)))


def parts(content: bytes) -> dict[str, bytes]:
    with ZipFile(BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def whole_text(content: bytes) -> str:
    root = ElementTree.fromstring(parts(content)["word/document.xml"])
    paragraphs = ("".join(run.text or "" for run in one.iter(f"{W}t")) for one in root.iter(f"{W}p"))
    return "\n".join(paragraphs)


def as_letter(made: Book) -> Book:
    """A book of every kind of block as one letter."""
    blocks = tuple(block for one in made.parts for block in one.blocks)
    card = Card(text("依頼文"), blocks, anchor=f"{LETTERS}x")
    return every_block(made.language).__class__(
        made.language, made.title, made.domain, made.made_at, made.as_of, (part(card, id="letters"),), made.imprint
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_is_a_file_for_each_letter_and_for_the_questionnaire(language: str) -> None:
    assert set(files(language)) == {"letter-dns", "letter-mail", "letter-web", "questionnaire"}


def test_without_letters_there_are_no_files() -> None:
    made = make_book(case_of(documents()["perfect"]), "ja")
    assert not [name for name, _ in render_letters(made) if name.startswith(LETTERS)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_letter_that_several_companies_could_get_names_none(language: str) -> None:
    case, words = case_of(document_of(TWO), clinic=CLINIC), Texts(language)
    made = {letter.actor: letter for letter in make_letters(case, plan_of(case))}
    written = dict(render_letters(make_book(case, language)))
    for actor in (Actor.DNS, Actor.MAIL):
        text = whole_text(written[f"letter-{actor}"])
        assert words.plain("letters.to.blank") in text
        assert words.plain(f"letters.use.choose.{actor}") not in text
        for company in made[actor].companies:
            assert words.plain("letters.to", company=name_of(company, words)) not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_records_are_copied_exactly_and_in_monospace(language: str) -> None:
    made = book(language)
    letters = next(one for one in made.parts if one.id == "letters")
    cards = {block.anchor: block for block in letters.blocks if isinstance(block, Card)}
    for name, content in render_letters(made):
        document = docx.Document(BytesIO(content))
        shown = [one.text for one in document.paragraphs if one.style and one.style.name == "Record"]
        records = [block for block in blocks_in((cards[name],)) if isinstance(block, Record)] if name in cards else []
        wanted = [
            line
            for record in records
            for labelled in (record.before, record.after, record.split)
            if labelled
            for line in labelled.lines
        ]
        assert [line for line in shown if not line.startswith("dig ")] == wanted
    styles = parts(files(language)["letter-dns"])["word/styles.xml"].decode()
    record = re.search(r'<w:style [^>]*w:styleId="Record".*?</w:style>', styles, re.DOTALL)
    assert record is not None
    assert 'w:eastAsia="BIZ UDGothic"' in record[0]
    assert "w:noProof" in record[0]


@pytest.mark.parametrize("language", LANGUAGES)
def test_headings_and_tables_are_real(language: str) -> None:
    document = docx.Document(BytesIO(files(language)["letter-dns"]))
    levels = [
        int(one.style.name[-1]) for one in document.paragraphs if one.style and "Heading" in (one.style.name or "")
    ]
    assert levels[0] == 1
    assert levels.count(1) == 2, "the subject, and the form"
    assert set(levels) == {1, 2, 3}
    heads = [row for table in document.tables for row in table.rows if row._tr.find(f".//{W}tblHeader") is not None]
    assert len(heads) == 2, "what is asked for, and the form's results"
    assert all(
        row._tr.find(f".//{W}cantSplit") is not None
        for table in document.tables
        for row in table.rows
        if len(row.cells) > 1
    )


@pytest.mark.parametrize(("language", "tag"), [("ja", "ja-JP"), ("en", "en-GB")])
def test_languages_and_fonts_are_said_for_every_script(language: str, tag: str) -> None:
    for content in files(language).values():
        styles = parts(content)["word/styles.xml"].decode()
        defaults = re.search(r"<w:docDefaults>.*?</w:docDefaults>", styles, re.DOTALL)
        assert defaults is not None
        assert f'w:lang w:val="{tag}" w:eastAsia="{tag}"' in defaults[0]
        assert 'w:eastAsia="BIZ UDPGothic"' in defaults[0]
        assert "Theme=" not in defaults[0]
        for level in (1, 2, 3, 4):
            heading = re.search(rf'<w:style [^>]*w:styleId="Heading{level}".*?</w:style>', styles, re.DOTALL)
            assert heading is not None
            assert "rFonts" not in heading[0], "headings have the fonts of the text"


@pytest.mark.parametrize("language", LANGUAGES)
def test_date_and_sender_stand_at_the_end_of_their_lines(language: str) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH

    document = docx.Document(BytesIO(files(language)["letter-dns"]))
    right = [one.text for one in document.paragraphs if one.alignment is WD_ALIGN_PARAGRAPH.RIGHT]
    assert "2026" in right[0]
    assert right[1] == CLINIC.name


def test_the_paper_is_a4() -> None:
    section = docx.Document(BytesIO(files()["letter-dns"])).sections[0]
    assert section.page_width is not None
    assert section.page_height is not None
    assert (round(section.page_width.mm), round(section.page_height.mm)) == (210, 297)


def test_the_form_stands_on_a_page_of_its_own() -> None:
    xml = parts(files()["letter-dns"])["word/document.xml"].decode()
    assert xml.count('<w:br w:type="page"/>') == 1
    assert xml.index('<w:br w:type="page"/>') < xml.index("ご連絡票</w:t>")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_book_gives_the_same_bytes(language: str) -> None:
    assert files(language) == files(language)


def test_the_sender_is_named_in_the_file() -> None:
    made = make_book(case_of(moved(), imprint=Imprint("例示ITサポート株式会社")), "ja")
    content = dict(render_letters(made, Brand(accent="#aa0000")))["letter-dns"]
    properties = docx.Document(BytesIO(content)).core_properties
    assert properties.author == "例示ITサポート株式会社"
    assert (properties.created, properties.modified) == (made.made_at, made.made_at)
    assert "AA0000" in parts(content)["word/styles.xml"].decode()


ACTIVE = re.compile(r"vba|macro|activex|oleobject|embeddings|media/|\.bin|\.exe", re.IGNORECASE)


def assert_nothing_acts(content: bytes) -> None:
    for name, xml in parts(content).items():
        assert not ACTIVE.search(name), name
        if name.endswith((".xml", ".rels")):
            ElementTree.fromstring(xml)
        if name.endswith(".rels"):
            assert b'TargetMode="External"' not in xml, name
    body = parts(content)["word/document.xml"].decode()
    assert not re.search(r"<w:(hyperlink|instrText|fldSimple|object|altChunk)\b", body)


def test_nothing_in_a_letter_acts() -> None:
    for content in files().values():
        assert_nothing_acts(content)


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_strangers_wrote_is_only_text(attack: str) -> None:
    (file,) = render_letters(as_letter(book_of(ATTACKS[attack])))
    assert_nothing_acts(file[1])
    docx.Document(BytesIO(file[1]))
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b]", whole_text(file[1]))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_of_block_can_stand_in_a_letter(language: str) -> None:
    (file,) = render_letters(as_letter(every_block(language)))
    shown = whole_text(file[1])
    for words in (
        "いまの記録",
        "新しい記録",
        "みどり病院",
        "DMARC で止まらないもの",
        "230",
        "止められません",
        "送信（そうしん）",
    ):
        assert words in shown


def test_a_link_to_a_source_shows_its_address() -> None:
    made = every_block()
    card = Card(text("x"), (made.parts[0].blocks[-1],), anchor=f"{LETTERS}x")
    (file,) = render_letters(as_letter(made))
    assert Span("公的な資料", Kind.LINK, "https://www.example.jp/guide") in card.blocks[0].text  # type: ignore[union-attr]
    assert "公的な資料 (https://www.example.jp/guide)" in whole_text(file[1])
